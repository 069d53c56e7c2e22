#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// Something that an expression may name, and what can be done with it.
struct ExpressionName {
  enum class Kind { number, boolean, choice };
  std::string name;
  Kind kind = Kind::number;
  std::vector<nlohmann::json> choices;  ///< of a choice, whose value is the position in this list
};

/// A formula over named values, parsed once: + − * / % ^ min max abs log exp sqrt, < <= > >= == !=, && || !, parentheses,
/// numbers, true, false, `x in [1, 2, 4]`. From loose to tight: ||, &&, !, comparisons (not chained), + −, * / %, unary −, ^
/// (from the right, so −2^2 is −4 and 2^3^2 is 512). A choice is compared with one of its values: `solver == 'cg'`; a boolean
/// counts as 0 or 1 in arithmetic. % is the remainder with the sign of the dividend (C's fmod); log is natural. Arithmetic and
/// comparisons are those of IEEE 754: log(−1) is NaN, and no comparison with NaN holds except !=.
class Expression {
 public:
  /// @param names  all that it may name
  /// @throws Error{Category::input} naming the position and what is wrong there: an unknown name (with the nearest known
  /// one), an unknown choice, kinds that do not fit, a missing operand; more than 64 names or pending operands
  Expression(std::string text, std::span<const ExpressionName> names);

  const std::string& text() const { return text_; }
  /// Positions of the names it uses, each once, in order of appearance. At most kMostNames.
  std::span<const Index> names() const { return names_; }
  /// Whether it is true or false, not a number.
  bool is_condition() const { return is_condition_; }
  /// Does not allocate.
  /// @param values  one for each of names(): a number, 0 or 1 for a boolean, the position of a choice
  /// @return the number; 1 or 0 for a condition
  double evaluate(std::span<const double> values) const;

  static constexpr Index kMostNames = 64;
  static constexpr Index kDeepestStack = 64;

  enum class Code {
    constant,
    variable,
    negate,
    invert,
    add,
    subtract,
    multiply,
    divide,
    remainder,
    power,
    minimum,
    maximum,
    absolute,
    logarithm,
    exponential,
    square_root,
    less,
    less_equal,
    greater,
    greater_equal,
    equal,
    different,
    both,
    either,
    among
  };
  /// Of a machine with a stack.
  struct Instruction {
    Code code = Code::constant;
    Index operand = 0;  ///< constant, among: first of the constants; variable: position in names()
    Index count = 1;    ///< among: of constants
  };

 private:
  std::string text_;
  std::vector<Index> names_;
  std::vector<Instruction> program_;
  std::vector<double> constants_;
  bool is_condition_ = false;
};

}  // namespace tempera
