#include "core/bayesopt/expression.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "core/base/contract.hpp"
#include "core/bayesopt/detail/expression_parser.hpp"

namespace tempera {

namespace {

using Code = Expression::Code;

// std::fmin and fmax would hide a NaN.
double lesser(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  return a < b ? a : b;
}

double unary(Code code, double a) {
  switch (code) {
    case Code::negate: return -a;
    case Code::invert: return a != 0 ? 0 : 1;
    case Code::absolute: return std::abs(a);
    case Code::logarithm: return std::log(a);
    case Code::exponential: return std::exp(a);
    default: return std::sqrt(a);
  }
}

double binary(Code code, double a, double b) {
  switch (code) {
    case Code::add: return a + b;
    case Code::subtract: return a - b;
    case Code::multiply: return a * b;
    case Code::divide: return a / b;
    case Code::remainder: return std::fmod(a, b);
    case Code::power: return std::pow(a, b);
    case Code::minimum: return lesser(a, b);
    case Code::maximum: return -lesser(-a, -b);
    case Code::less: return a < b;
    case Code::less_equal: return a <= b;
    case Code::greater: return a > b;
    case Code::greater_equal: return a >= b;
    case Code::equal: return a == b;
    case Code::different: return a != b;
    case Code::both: return a != 0 && b != 0;
    default: return a != 0 || b != 0;
  }
}

bool is_unary(Code code) {
  return code == Code::negate || code == Code::invert || code == Code::absolute || code == Code::logarithm ||
         code == Code::exponential || code == Code::square_root;
}

}  // namespace

Expression::Expression(std::string text, std::span<const ExpressionName> names) : text_(std::move(text)) {
  detail::ExpressionParser parser(text_, names);
  is_condition_ = parser.parse();
  names_ = std::move(parser.used);
  program_ = std::move(parser.program);
  constants_ = std::move(parser.constants);
}

double Expression::evaluate(std::span<const double> values) const {
  TEMPERA_EXPECTS(values.size() == names_.size());
  std::array<double, kDeepestStack> stack;
  std::size_t height = 0;
  for (const Instruction& instruction : program_) {
    const auto operand = static_cast<std::size_t>(instruction.operand);
    if (instruction.code == Code::constant) {
      stack[height++] = constants_[operand];
    } else if (instruction.code == Code::variable) {
      stack[height++] = values[operand];
    } else if (instruction.code == Code::among) {
      bool found = false;
      for (std::size_t i = operand; i < operand + static_cast<std::size_t>(instruction.count); ++i)
        found = found || constants_[i] == stack[height - 1];
      stack[height - 1] = found;
    } else if (is_unary(instruction.code)) {
      stack[height - 1] = unary(instruction.code, stack[height - 1]);
    } else {
      --height;
      stack[height - 1] = binary(instruction.code, stack[height - 1], stack[height]);
    }
  }
  return stack[0];
}

}  // namespace tempera
