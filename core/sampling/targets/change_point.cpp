#include "core/sampling/targets/change_point.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/io/json_data.hpp"
#include "core/sampling/detail/stable.hpp"

namespace tempera {

namespace {

constexpr std::array<Index, 112> kDisasters{
    4, 5, 4, 1, 0, 4, 3, 4, 0, 6, 3, 3, 4, 0, 2, 6, 3, 3, 5, 4, 5, 3, 1, 4, 4, 1, 5, 5, 3, 4, 2, 5, 2, 2, 3, 4, 2, 1,
    3, 2, 2, 1, 1, 1, 1, 3, 0, 0, 1, 0, 1, 1, 0, 0, 3, 1, 0, 3, 2, 2, 0, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 2, 1, 0, 0, 0,
    1, 1, 0, 2, 3, 3, 1, 1, 2, 1, 1, 1, 1, 2, 4, 2, 0, 0, 0, 1, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1};

}  // namespace

ChangePointModel::ChangePointModel(const ChangePointOptions&) : ChangePointModel(kDisasters) {}

ChangePointModel::ChangePointModel(const ChangePointOptions&, JsonData& data)
    : ChangePointModel(data.integers("y", {data.size("N", "y")}, {.minimum = 0})) {}

std::vector<DataField> ChangePointModel::data_fields() {
  return {{"N", "", true, "number of years"}, {"y", "N", false, "events in each, whole numbers from 0"}};
}

ChangePointModel::ChangePointModel(std::span<const Index> counts) : weight_(counts.size()) {
  for (const Index count : counts) {
    before_.push_back(total_);
    total_ += static_cast<double>(count);
    log_factorials_ += detail::log_gamma(static_cast<double>(count) + 1);
  }
}

std::vector<ParameterBlock> ChangePointModel::parameters() const {
  return {{"early", {}, Transform::lower(0)}, {"late", {}, Transform::lower(0)}};
}

double ChangePointModel::log_prior(std::span<const double> theta, std::span<double> gradient) {
  double sum = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    if (theta[i] <= 0) return -std::numeric_limits<double>::infinity();
    sum += std::log(theta[i]) - theta[i];
    if (!gradient.empty()) gradient[i] = 1 / theta[i] - 1;
  }
  return sum;
}

double ChangePointModel::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  const double log_early = std::log(theta[0]);
  const double log_late = std::log(theta[1]);
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < weight_.size(); ++k) {
    const double years = static_cast<double>(k);
    weight_[k] =
        before_[k] * log_early - years * theta[0] + (total_ - before_[k]) * log_late - (all_years() - years) * theta[1];
    largest = std::max(largest, weight_[k]);
  }
  if (largest == -std::numeric_limits<double>::infinity()) return largest;
  double sum = 0;
  double early = 0;  // means over the year, each weighted
  double late = 0;
  for (std::size_t k = 0; k < weight_.size(); ++k) {
    const double weight = std::exp(weight_[k] - largest);
    const double years = static_cast<double>(k);
    sum += weight;
    early += weight * (before_[k] / theta[0] - years);
    late += weight * ((total_ - before_[k]) / theta[1] - (all_years() - years));
  }
  if (!gradient.empty()) {
    gradient[0] = early / sum;
    gradient[1] = late / sum;
  }
  return largest + std::log(sum / all_years()) - log_factorials_;
}

void ChangePointModel::sample_prior(RandomStream& stream, std::span<double> theta) {
  for (double& rate : theta) rate = stream.gamma(2);
}

double ChangePointModel::log_evidence() const {
  // ∫ Gamma(2, 1)(rate) rate^y e^{−n rate} = Γ(y + 2)/(n + 1)^{y + 2}
  const auto log_integral = [](double y, double years) {
    return detail::log_gamma(y + 2) - (y + 2) * std::log(years + 1);
  };
  std::vector<double> terms;
  for (std::size_t k = 0; k < before_.size(); ++k)
    terms.push_back(log_integral(before_[k], static_cast<double>(k)) +
                    log_integral(total_ - before_[k], all_years() - static_cast<double>(k)));
  const double largest = *std::max_element(terms.begin(), terms.end());
  double sum = 0;
  for (const double term : terms) sum += std::exp(term - largest);
  return largest + std::log(sum / all_years()) - log_factorials_;
}

}  // namespace tempera
