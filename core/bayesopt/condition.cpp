#include "core/bayesopt/condition.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/bayesopt/detail/tokens.hpp"

namespace tempera {

namespace {

using detail::refuse_at;
using detail::Token;
using detail::TokenKind;

constexpr const char* kForms = "write name == 'value', name in ['a', 'b'], name or !name";

class ConditionParser {
 public:
  explicit ConditionParser(std::string_view text) : tokens_(detail::tokens_of(text)) {}

  Condition parse() {
    do alternative();
    while (take("||"));
    if (token().kind == TokenKind::end) return condition_;
    const bool wants_and = token().is("&&") || token().is_word("and");
    refuse_at(token().column, fmt::format("'||' or the end expected, not {}", token().quoted()),
              wants_and ? "make the parent itself conditional in place of 'and'" : kForms);
  }

 private:
  void alternative() {
    if (take("(")) {
      do alternative();
      while (take("||"));
      expect(")");
      return;
    }
    const bool inverted = take("!");
    const Token name = token();
    if (name.kind != TokenKind::name)
      refuse_at(name.column, fmt::format("a name expected, not {}", name.quoted()), kForms);
    ++at_;
    if (!condition_.parent.empty() && condition_.parent != name.text)
      refuse_at(name.column, fmt::format("a second parent '{}' beside '{}'", name.text, condition_.parent),
                "a parameter depends on one other");
    condition_.parent = name.text;
    if (inverted) return add(false);
    if (take("==")) return add(literal());
    if (!token().is_word("in")) {
      if (token().is("!="))
        refuse_at(token().column, "'!=' is not understood here", "list the values: name in ['a', 'b']");
      return add(true);
    }
    ++at_;
    expect("[");
    do add(literal());
    while (take(","));
    expect("]");
  }

  nlohmann::json literal() {
    const bool negative = take("-");
    const Token value = token();
    ++at_;
    if (value.kind == TokenKind::number && negative)
      return value.value.is_number_integer() ? nlohmann::json(-value.value.get<std::int64_t>())
                                             : nlohmann::json(-value.value.get<double>());
    if (!negative && (value.kind == TokenKind::number || value.kind == TokenKind::text)) return value.value;
    if (!negative && (value.is_word("true") || value.is_word("false"))) return value.text == "true";
    --at_;
    refuse_at(value.column, fmt::format("a value expected, not {}", value.quoted()),
              value.kind == TokenKind::name ? fmt::format("texts stand in quotes: '{}'", value.text) : kForms);
  }

  void add(nlohmann::json value) {
    auto& values = condition_.values;
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(std::move(value));
  }

  const Token& token() const { return tokens_[at_]; }
  bool take(std::string_view symbol) {
    if (!token().is(symbol)) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view symbol) {
    if (!take(symbol))
      refuse_at(token().column, fmt::format("'{}' expected, not {}", symbol, token().quoted()), kForms);
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  Condition condition_;
};

}  // namespace

Condition parse_condition(std::string_view text) {
  return ConditionParser(text).parse();
}

}  // namespace tempera
