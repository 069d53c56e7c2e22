#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/bayesopt/detail/tokens.hpp"
#include "core/bayesopt/expression.hpp"

namespace tempera::detail {

/// Recursive descent over the grammar of Expression; writes its program.
class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, std::span<const ExpressionName> names);

  /// @return whether it is a condition
  bool parse();

  std::vector<Index> used;
  std::vector<Expression::Instruction> program;
  std::vector<double> constants;

 private:
  using Kind = ExpressionName::Kind;
  using Code = Expression::Code;
  /// What was read last. A literal is not in the program yet: what it stands for is known once its neighbour is (the
  /// position of a choice).
  struct Operand {
    Kind kind = Kind::number;
    std::optional<nlohmann::json> literal;
    Index name = -1;  ///< of a choice
    std::size_t column = 1;
  };

  Operand disjunction();
  Operand conjunction();
  Operand negation();
  Operand comparison();
  Operand membership(const Operand& left);
  Operand sum();
  Operand product();
  Operand signed_term();
  Operand power();
  Operand primary();
  Operand call(Token function);
  Operand variable(const Token& name);

  const Token& token() const { return tokens_[at_]; }
  bool take(std::string_view symbol);
  void expect(std::string_view symbol);
  void write(Code code, Index operand = 0, Index count = 1);
  void write_constant(double value);
  /// Into the program, if it is a literal.
  void settle(Operand& operand);
  void require_number(const Operand& operand) const;
  void require_condition(const Operand& operand) const;
  /// The position of a literal among the choices of a name.
  double choice(Index name, const nlohmann::json& literal, std::size_t column) const;
  template <class Next>
  Operand arithmetic(Next next, std::span<const std::pair<std::string_view, Code>> operators);

  std::vector<Token> tokens_;
  std::span<const ExpressionName> known_;
  std::size_t at_ = 0;
  Index height_ = 0;
  int depth_ = 0;
};

}  // namespace tempera::detail
