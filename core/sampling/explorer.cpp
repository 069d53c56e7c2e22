#include "core/sampling/explorer.hpp"

#include <cmath>
#include <limits>

namespace tempera {

double PathDensity::combined(const LogDensity& parts) const {
  const double value = beta_ == 0 ? parts.reference : parts.reference + beta_ * parts.likelihood;
  return std::isnan(value) ? -std::numeric_limits<double>::infinity() : value;
}

double PathDensity::at(std::span<const double> u, LogDensity& parts) {
  ++evaluations_;
  parts = target_->evaluate(u);
  if (std::isnan(parts.reference) || std::isnan(parts.likelihood)) {
    ++invalid_;
    const double zero = -std::numeric_limits<double>::infinity();
    parts = {zero, zero};
  }
  return combined(parts);
}

}  // namespace tempera
