#include "core/bayesopt/output_warp.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

double least(std::span<const double> values) {
  return *std::min_element(values.begin(), values.end());
}

double median(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  const auto middle = sorted.begin() + std::ssize(sorted) / 2;
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

}  // namespace

OutputWarp::OutputWarp(std::span<const double> values) {
  TEMPERA_EXPECTS(!values.empty());
  standardise(values);
}

OutputWarp::OutputWarp(std::span<const double> values, double share) : logarithmic_(true) {
  TEMPERA_EXPECTS(share > 0 && has_spread(values));
  const double lowest = least(values);
  floor_ = lowest - share * (median(values) - lowest);
  standardise(values);
}

bool OutputWarp::has_spread(std::span<const double> values) {
  return !values.empty() && median(values) > least(values);
}

void OutputWarp::standardise(std::span<const double> values) {
  double mean = 0, square = 0;
  const auto count = static_cast<double>(values.size());
  for (const double y : values) mean += (*this)(y) / count;
  for (const double y : values) square += std::pow((*this)(y)-mean, 2) / count;
  shift_ = mean;
  scale_ = square > 0 ? std::sqrt(square) : 1;
}

double OutputWarp::operator()(double y) const {
  return ((logarithmic_ ? std::log(y - floor_) : y) - shift_) / scale_;
}

double OutputWarp::log_jacobian(std::span<const double> values) const {
  double sum = -static_cast<double>(values.size()) * std::log(scale_);
  if (logarithmic_)
    for (const double y : values) sum -= std::log(y - floor_);
  return sum;
}

Eigen::VectorXd OutputWarp::warped(std::span<const double> values) const {
  Eigen::VectorXd result(std::ssize(values));
  for (std::size_t i = 0; i < values.size(); ++i) result[static_cast<Eigen::Index>(i)] = (*this)(values[i]);
  return result;
}

}  // namespace tempera
