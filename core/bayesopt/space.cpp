#include "core/bayesopt/space.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

double last_cell(const Parameter& parameter) {
  return static_cast<double>(parameter.cells() - 1);
}

}  // namespace

Index Parameter::cells() const {
  switch (type) {
    case ParameterType::real: return 0;
    case ParameterType::integer:
      return static_cast<Index>(static_cast<std::uint64_t>(highest()) - static_cast<std::uint64_t>(lowest())) + 1;
    case ParameterType::boolean: return 2;
    default: return std::ssize(choices);
  }
}

bool Space::active(Index parameter, std::span<const double> point) const {
  const Activation& activation = activations_[static_cast<std::size_t>(parameter)];
  if (activation.parent < 0) return true;
  const double parent = point[static_cast<std::size_t>(activation.parent)];  // NaN, equal to nothing, if it is inactive
  return std::find(activation.cells.begin(), activation.cells.end(), parent) != activation.cells.end();
}

void Space::encode(std::span<const double> point, std::span<double> features) const {
  TEMPERA_EXPECTS(std::ssize(point) == size() && std::ssize(features) == this->features());
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& parameter = parameters_[i];
    const double entry = point[i];
    const bool is_active = !std::isnan(entry);
    auto feature = features.begin() + first_feature_[i];
    switch (parameter.type) {
      case ParameterType::real:
      case ParameterType::boolean: *feature++ = is_active ? entry : 0.5; break;
      case ParameterType::integer:
        if (!is_active)
          *feature++ = 0.5;
        else if (parameter.log_scale)
          *feature++ = scales_[i].position(static_cast<double>(parameter.lowest()) + entry);
        else
          *feature++ = entry / last_cell(parameter);
        break;
      case ParameterType::ordinal:
        *feature++ = is_active && parameter.cells() > 1 ? entry / last_cell(parameter) : 0.5;
        break;
      case ParameterType::categorical:
        for (Index c = 0; c < parameter.cells(); ++c)
          *feature++ = entry == static_cast<double>(c) ? 1 / std::numbers::sqrt2 : 0;
        break;
    }
    if (!parameter.when.parent.empty()) *feature = is_active ? 0.5 : 0;
  }
}

Point Space::from_unit(std::span<const double> unit) const {
  TEMPERA_EXPECTS(std::ssize(unit) == size());
  Point point(unit.size(), kAbsent);
  for (const Index number : order_) {
    if (!active(number, point)) continue;
    const auto i = static_cast<std::size_t>(number);
    const Parameter& parameter = parameters_[i];
    const double u = std::clamp(unit[i], 0.0, 1.0);
    if (parameter.type == ParameterType::real) {
      point[i] = scales_[i].rounded(u);
    } else if (parameter.type == ParameterType::integer && parameter.log_scale) {
      const auto low = static_cast<double>(parameter.lowest());
      const double begin = std::log(low - 0.5);
      const double width = std::log(static_cast<double>(parameter.highest()) + 0.5) - begin;
      point[i] = std::clamp(std::round(std::exp(begin + u * width) - low), 0.0, last_cell(parameter));
    } else {
      point[i] = std::min(std::floor(u * static_cast<double>(parameter.cells())), last_cell(parameter));
    }
  }
  return point;
}

Point Space::repaired(Point point) const {
  TEMPERA_EXPECTS(std::ssize(point) == size());
  for (const Index number : order_) {
    const auto i = static_cast<std::size_t>(number);
    const Parameter& parameter = parameters_[i];
    const bool is_real = parameter.type == ParameterType::real;
    if (!active(number, point)) {
      point[i] = kAbsent;
      continue;
    }
    if (std::isnan(point[i])) point[i] = is_real ? 0.5 : std::floor(last_cell(parameter) / 2);
    point[i] = is_real ? scales_[i].rounded(std::clamp(point[i], 0.0, 1.0))
                       : std::clamp(std::round(point[i]), 0.0, last_cell(parameter));
  }
  return point;
}

double Space::number(Index parameter, double entry) const {
  const auto i = static_cast<std::size_t>(parameter);
  const Parameter& described = parameters_[i];
  switch (described.type) {
    case ParameterType::real: return scales_[i].value(entry);
    case ParameterType::integer: return static_cast<double>(described.lowest()) + entry;
    case ParameterType::boolean: return entry;
    default:
      return kinds_[i] == ExpressionName::Kind::choice
                 ? entry
                 : described.choices[static_cast<std::size_t>(entry)].get<double>();
  }
}

bool Space::feasible(std::span<const double> point, Index constraint) const {
  TEMPERA_EXPECTS(std::ssize(point) == size());
  const Expression& expression = constraints_[static_cast<std::size_t>(constraint)];
  std::array<double, Expression::kMostNames> values;
  std::size_t count = 0;
  for (const Index name : expression.names()) {
    const double entry = point[static_cast<std::size_t>(name)];
    if (std::isnan(entry)) return true;
    values[count++] = number(name, entry);
  }
  return expression.evaluate({values.data(), count}) > 0;
}

bool Space::feasible(std::span<const double> point) const {
  for (Index constraint = 0; constraint < std::ssize(constraints_); ++constraint)
    if (!feasible(point, constraint)) return false;
  return !allowed_ || allowed_(point);
}

bool Space::same(std::span<const double> a, std::span<const double> b) const {
  TEMPERA_EXPECTS(std::ssize(a) == size() && std::ssize(b) == size());
  constexpr double kIndistinguishable = 1e-9;  // of the range
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    if (std::isnan(a[i]) != std::isnan(b[i])) return false;
    const double tolerance = parameters_[i].type == ParameterType::real ? kIndistinguishable : 0;
    if (std::abs(a[i] - b[i]) > tolerance) return false;
  }
  return true;
}

}  // namespace tempera
