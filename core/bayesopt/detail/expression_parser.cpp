#include "core/bayesopt/detail/expression_parser.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/text.hpp"

namespace tempera::detail {

namespace {

using Code = Expression::Code;
using Operators = std::span<const std::pair<std::string_view, Code>>;

constexpr std::array<std::pair<std::string_view, Code>, 6> kComparisons = {{{"<", Code::less},
                                                                            {"<=", Code::less_equal},
                                                                            {">", Code::greater},
                                                                            {">=", Code::greater_equal},
                                                                            {"==", Code::equal},
                                                                            {"!=", Code::different}}};
constexpr std::array<std::pair<std::string_view, Code>, 2> kSums = {{{"+", Code::add}, {"-", Code::subtract}}};
constexpr std::array<std::pair<std::string_view, Code>, 3> kProducts = {
    {{"*", Code::multiply}, {"/", Code::divide}, {"%", Code::remainder}}};
constexpr std::array<std::pair<std::string_view, Code>, 6> kFunctions = {{{"min", Code::minimum},
                                                                          {"max", Code::maximum},
                                                                          {"abs", Code::absolute},
                                                                          {"log", Code::logarithm},
                                                                          {"exp", Code::exponential},
                                                                          {"sqrt", Code::square_root}}};

std::optional<Code> find(const Token& token, Operators among) {
  if (token.kind != TokenKind::symbol && token.kind != TokenKind::name) return std::nullopt;
  for (const auto& [text, code] : among)
    if (token.text == text) return code;
  return std::nullopt;
}

/// a < b as b > a.
Code mirrored(Code code) {
  switch (code) {
    case Code::less: return Code::greater;
    case Code::less_equal: return Code::greater_equal;
    case Code::greater: return Code::less;
    case Code::greater_equal: return Code::less_equal;
    default: return code;
  }
}

ExpressionName::Kind kind_of(const nlohmann::json& literal) {
  if (literal.is_string()) return ExpressionName::Kind::choice;
  return literal.is_boolean() ? ExpressionName::Kind::boolean : ExpressionName::Kind::number;
}

std::string plain_hint(const Token& token) {
  if (token.is_word("and")) return "write &&";
  if (token.is_word("or")) return "write ||";
  if (token.is_word("not")) return "write !";
  return {};
}

}  // namespace

ExpressionParser::ExpressionParser(std::string_view text, std::span<const ExpressionName> names)
    : tokens_(tokens_of(text)), known_(names) {}

bool ExpressionParser::parse() {
  Operand all = disjunction();
  if (token().kind != TokenKind::end)
    refuse_at(token().column, fmt::format("an operator expected, not {}", token().quoted()), plain_hint(token()));
  if (all.kind == Kind::choice) refuse_at(all.column, "a text or choice is no condition", "compare it with == or !=");
  settle(all);
  return all.kind == Kind::boolean;
}

ExpressionParser::Operand ExpressionParser::disjunction() {
  constexpr int kDeepest = 200;  // of parentheses: the parser calls itself
  if (++depth_ > kDeepest) refuse_at(token().column, "too many parentheses");
  Operand left = conjunction();
  while (take("||")) {
    require_condition(left);
    settle(left);
    Operand right = conjunction();
    require_condition(right);
    settle(right);
    write(Code::either);
    left = {Kind::boolean, {}, -1, left.column};
  }
  --depth_;
  return left;
}

ExpressionParser::Operand ExpressionParser::conjunction() {
  Operand left = negation();
  while (take("&&")) {
    require_condition(left);
    settle(left);
    Operand right = negation();
    require_condition(right);
    settle(right);
    write(Code::both);
    left = {Kind::boolean, {}, -1, left.column};
  }
  return left;
}

ExpressionParser::Operand ExpressionParser::negation() {
  const std::size_t column = token().column;
  bool inverted = false;
  bool any = false;
  for (; take("!"); any = true) inverted = !inverted;
  Operand operand = comparison();
  if (!any) return operand;
  require_condition(operand);
  settle(operand);
  if (inverted) write(Code::invert);
  return {Kind::boolean, {}, -1, column};
}

ExpressionParser::Operand ExpressionParser::comparison() {
  Operand left = sum();
  if (token().is_word("in")) return membership(left);
  const auto found = find(token(), kComparisons);
  if (!found || token().kind != TokenKind::symbol) return left;
  const Token sign = token();
  ++at_;
  Operand right = sum();
  const bool equality = *found == Code::equal || *found == Code::different;
  if (left.kind == Kind::choice || right.kind == Kind::choice || left.name >= 0 || right.name >= 0) {
    if (!equality) refuse_at(sign.column, fmt::format("texts and choices have no '{}'", sign.text), "use == or !=");
    const Operand& named = left.name >= 0 ? left : right;
    const Operand& value = left.name >= 0 ? right : left;
    if (named.name < 0)
      refuse_at((left.kind == Kind::choice ? left : right).column, "a text can be compared with a choice only");
    if (!value.literal) refuse_at(value.column, "a choice can be compared with one of its values only");
    write_constant(choice(named.name, *value.literal, value.column));
    write(*found);
  } else if (left.literal && !right.literal) {
    settle(left);
    write(mirrored(*found));
  } else {
    settle(left);
    settle(right);
    write(*found);
  }
  if (const auto chained = find(token(), kComparisons); chained && token().kind == TokenKind::symbol)
    refuse_at(token().column, "comparisons cannot be chained", "write a < b && b < c");
  return {Kind::boolean, {}, -1, left.column};
}

ExpressionParser::Operand ExpressionParser::membership(const Operand& left) {
  ++at_;
  if (left.literal) refuse_at(left.column, "a parameter or a number computed from some expected before 'in'");
  expect("[");
  const auto first = static_cast<Index>(constants.size());
  do {
    const Operand value = signed_term();
    if (!value.literal) refuse_at(value.column, "a list holds numbers, texts, true and false only");
    if (left.name >= 0) {
      constants.push_back(choice(left.name, *value.literal, value.column));
    } else {
      if (value.literal->is_string()) refuse_at(value.column, "a text can be compared with a choice only");
      constants.push_back(value.literal->is_boolean() ? (value.literal->get<bool>() ? 1.0 : 0.0)
                                                      : value.literal->get<double>());
    }
  } while (take(","));
  expect("]");
  write(Code::among, first, static_cast<Index>(constants.size()) - first);
  return {Kind::boolean, {}, -1, left.column};
}

template <class Next>
ExpressionParser::Operand ExpressionParser::arithmetic(Next next, Operators operators) {
  Operand left = (this->*next)();
  for (auto found = find(token(), operators); found && token().kind == TokenKind::symbol;
       found = find(token(), operators)) {
    ++at_;
    require_number(left);
    settle(left);
    Operand right = (this->*next)();
    require_number(right);
    settle(right);
    write(*found);
    left = {Kind::number, {}, -1, left.column};
  }
  return left;
}

ExpressionParser::Operand ExpressionParser::sum() {
  return arithmetic(&ExpressionParser::product, kSums);
}

ExpressionParser::Operand ExpressionParser::product() {
  return arithmetic(&ExpressionParser::signed_term, kProducts);
}

ExpressionParser::Operand ExpressionParser::signed_term() {
  const std::size_t column = token().column;
  bool negative = false;
  bool any = false;
  while (token().is("-") || token().is("+")) {
    negative = negative != token().is("-");
    any = true;
    ++at_;
  }
  Operand operand = power();
  if (!any) return operand;
  require_number(operand);
  if (operand.literal && operand.literal->is_number()) {
    if (negative && operand.literal->is_number_integer())
      operand.literal = -operand.literal->get<std::int64_t>();
    else if (negative)
      operand.literal = -operand.literal->get<double>();
    return operand;
  }
  settle(operand);
  if (negative) write(Code::negate);
  return {Kind::number, {}, -1, column};
}

ExpressionParser::Operand ExpressionParser::power() {
  Operand base = primary();
  if (!take("^")) return base;
  require_number(base);
  settle(base);
  Operand exponent = signed_term();  // the height of the stack bounds how often this calls itself
  require_number(exponent);
  settle(exponent);
  write(Code::power);
  return {Kind::number, {}, -1, base.column};
}

ExpressionParser::Operand ExpressionParser::primary() {
  const Token first = token();
  if (first.kind == TokenKind::number || first.kind == TokenKind::text) {
    ++at_;
    return {kind_of(first.value), first.value, -1, first.column};
  }
  if (take("(")) {
    const Operand inner = disjunction();
    expect(")");
    return inner;
  }
  if (first.kind != TokenKind::name)
    refuse_at(first.column, fmt::format("a number, a name or '(' expected, not {}", first.quoted()));
  ++at_;
  if (token().is("(")) return call(first);
  if (first.text == "true" || first.text == "false") return {Kind::boolean, first.text == "true", -1, first.column};
  return variable(first);
}

ExpressionParser::Operand ExpressionParser::call(Token function) {
  const auto code = find(function, kFunctions);
  if (!code) {
    std::vector<std::string> names;
    for (const auto& [name, unused] : kFunctions) names.emplace_back(name);
    const auto nearest = nearest_name(function.text, names);
    refuse_at(function.column, fmt::format("unknown function '{}'", function.text),
              nearest ? fmt::format("did you mean '{}'?", *nearest)
                      : fmt::format("functions are {}", fmt::join(names, ", ")));
  }
  expect("(");
  Index arguments = 0;
  const bool several = *code == Code::minimum || *code == Code::maximum;
  do {
    Operand argument = disjunction();
    require_number(argument);
    settle(argument);
    if (++arguments > 1 && several) write(*code);
  } while (take(","));
  expect(")");
  if (several && arguments < 2) refuse_at(function.column, fmt::format("{} takes two values or more", function.text));
  if (!several && arguments != 1) refuse_at(function.column, fmt::format("{} takes one value", function.text));
  if (!several) write(*code);
  return {Kind::number, {}, -1, function.column};
}

ExpressionParser::Operand ExpressionParser::variable(const Token& name) {
  const auto found =
      std::find_if(known_.begin(), known_.end(), [&](const ExpressionName& known) { return known.name == name.text; });
  if (found == known_.end()) {
    std::vector<std::string> names;
    for (const ExpressionName& known : known_) names.push_back(known.name);
    const auto nearest = nearest_name(name.text, names);
    std::string hint = plain_hint(name);
    if (hint.empty())
      hint =
          nearest ? fmt::format("did you mean '{}'?", *nearest) : fmt::format("names are {}", fmt::join(names, ", "));
    refuse_at(name.column, fmt::format("unknown name '{}'", name.text), hint);
  }
  const Index position = found - known_.begin();
  auto slot = std::find(used.begin(), used.end(), position);
  if (slot == used.end()) {
    if (std::ssize(used) == Expression::kMostNames)
      refuse_at(name.column, fmt::format("more than {} names", Expression::kMostNames));
    slot = used.insert(used.end(), position);
  }
  write(Code::variable, slot - used.begin());
  return {found->kind, {}, found->kind == Kind::choice ? position : -1, name.column};
}

bool ExpressionParser::take(std::string_view symbol) {
  if (!token().is(symbol)) return false;
  ++at_;
  return true;
}

void ExpressionParser::expect(std::string_view symbol) {
  if (!take(symbol)) refuse_at(token().column, fmt::format("'{}' expected, not {}", symbol, token().quoted()));
}

void ExpressionParser::write(Code code, Index operand, Index count) {
  program.push_back({code, operand, count});
  if (code == Code::constant || code == Code::variable) {
    if (++height_ > Expression::kDeepestStack) refuse_at(token().column, "the expression is nested too deeply");
  } else if (code != Code::negate && code != Code::invert && code != Code::absolute && code != Code::logarithm &&
             code != Code::exponential && code != Code::square_root && code != Code::among) {
    --height_;
  }
}

void ExpressionParser::write_constant(double value) {
  constants.push_back(value);
  write(Code::constant, static_cast<Index>(constants.size()) - 1);
}

void ExpressionParser::settle(Operand& operand) {
  if (!operand.literal) return;
  write_constant(operand.literal->is_boolean() ? (operand.literal->get<bool>() ? 1.0 : 0.0)
                                               : operand.literal->get<double>());
  operand.literal.reset();
}

void ExpressionParser::require_number(const Operand& operand) const {
  if (operand.kind == Kind::choice)
    refuse_at(operand.column, "a text or choice is no number", "compare it with == or !=");
}

void ExpressionParser::require_condition(const Operand& operand) const {
  if (operand.kind != Kind::boolean) refuse_at(operand.column, "a condition expected, not a number, text or choice");
}

double ExpressionParser::choice(Index name, const nlohmann::json& literal, std::size_t column) const {
  const ExpressionName& known = known_[static_cast<std::size_t>(name)];
  const auto found = std::find(known.choices.begin(), known.choices.end(), literal);
  if (found != known.choices.end()) return static_cast<double>(found - known.choices.begin());
  std::vector<std::string> texts;
  for (const nlohmann::json& value : known.choices)
    texts.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  const std::string given = literal.is_string() ? literal.get<std::string>() : literal.dump();
  const auto nearest = nearest_name(given, texts);
  refuse_at(column, fmt::format("'{}' is no choice of '{}'", given, known.name),
            nearest ? fmt::format("did you mean '{}'?", *nearest)
                    : fmt::format("its choices are {}", fmt::join(texts, ", ")));
}

}  // namespace tempera::detail
