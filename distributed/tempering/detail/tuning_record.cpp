#include "distributed/tempering/detail/tuning_record.hpp"

#include <algorithm>

namespace tempera::detail {

void append(std::vector<double>& numbers, const ChainTuning& tuning) {
  numbers.insert(numbers.end(), tuning.means.begin(), tuning.means.end());
  numbers.insert(numbers.end(), tuning.scales.begin(), tuning.scales.end());
  numbers.insert(numbers.end(), tuning.step_sizes.begin(), tuning.step_sizes.end());
  numbers.push_back(static_cast<double>(tuning.covariance_factor.size()));
  numbers.insert(numbers.end(), tuning.covariance_factor.begin(), tuning.covariance_factor.end());
}

std::vector<double>::const_iterator read(std::vector<double>::const_iterator at, ChainTuning& tuning) {
  for (auto* values : {&tuning.means, &tuning.scales, &tuning.step_sizes}) {
    std::copy_n(at, values->size(), values->begin());
    at += std::ssize(*values);
  }
  const auto entries = static_cast<std::ptrdiff_t>(*at++);
  tuning.covariance_factor.assign(at, at + entries);
  return at + entries;
}

}  // namespace tempera::detail
