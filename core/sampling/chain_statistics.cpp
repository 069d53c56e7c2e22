#include "core/sampling/chain_statistics.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

constexpr std::size_t kReportNumbers = 5 + 3 * kMostStepSizes;
constexpr double kDrawsBefore = 5;

std::size_t products_of(std::size_t dimension, bool covariance) {
  return covariance ? dimension * (dimension + 1) / 2 : dimension;
}

void append(std::vector<double>& record, const ChainReport& report) {
  for (const Index number : {report.count, report.proposals, report.divergences, report.saturations})
    record.push_back(static_cast<double>(number));
  record.push_back(report.acceptance);
  for (const StepSizeUse& use : report.step_sizes)
    for (const double number : {static_cast<double>(use.count), use.acceptance, use.log_ratio})
      record.push_back(number);
}

ChainReport report_from(std::span<const double> record) {
  ChainReport report;
  report.count = static_cast<Index>(record[0]);
  report.proposals = static_cast<Index>(record[1]);
  report.divergences = static_cast<Index>(record[2]);
  report.saturations = static_cast<Index>(record[3]);
  report.acceptance = record[4];
  std::size_t at = 5;
  for (StepSizeUse& use : report.step_sizes) {
    use = {static_cast<Index>(record[at]), record[at + 1], record[at + 2]};
    at += 3;
  }
  return report;
}

}  // namespace

ChainStatistics::ChainStatistics(std::size_t dimension, bool covariance)
    : dimension_(dimension),
      covariance_(covariance),
      mean_(dimension, 0.0),
      products_(products_of(dimension, covariance), 0.0) {}

ChainStatistics::ChainStatistics(std::size_t dimension, bool covariance, std::span<const double> record)
    : ChainStatistics(dimension, covariance) {
  TEMPERA_EXPECTS(record.size() == width(dimension, covariance));
  report_ = report_from(record);
  record = record.subspan(kReportNumbers);
  const auto take = [&](std::vector<double>& values) {
    std::copy_n(record.begin(), values.size(), values.begin());
    record = record.subspan(values.size());
  };
  take(mean_);
  take(products_);
}

std::size_t ChainStatistics::width(std::size_t dimension, bool covariance) {
  return kReportNumbers + dimension + products_of(dimension, covariance);
}

void ChainStatistics::append_to(std::vector<double>& record) const {
  append(record, report_);
  for (const auto* values : {&mean_, &products_}) record.insert(record.end(), values->begin(), values->end());
}

void ChainStatistics::add(std::span<const double> u, const StepRecord& step) {
  report_.add(step);
  const double share = 1 / static_cast<double>(report_.count);
  if (!covariance_) {
    for (std::size_t i = 0; i < dimension_; ++i) {
      const double change = u[i] - mean_[i];
      mean_[i] += change * share;
      products_[i] += change * (u[i] - mean_[i]);
    }
    return;
  }
  change_.resize(dimension_);
  for (std::size_t i = 0; i < dimension_; ++i) {
    change_[i] = u[i] - mean_[i];
    mean_[i] += change_[i] * share;
    const double after = u[i] - mean_[i];
    for (std::size_t j = 0; j <= i; ++j) products_[product(i, j)] += change_[j] * after;
  }
}

void ChainStatistics::merge(const ChainStatistics& other) {
  TEMPERA_EXPECTS(other.dimension_ == dimension_ && other.covariance_ == covariance_);
  const auto mine = static_cast<double>(report_.count), more = static_cast<double>(other.report_.count);
  if (more == 0) return;
  report_.add(other.report_);
  change_.resize(dimension_);
  for (std::size_t i = 0; i < dimension_; ++i) change_[i] = other.mean_[i] - mean_[i];
  const double share = more / (mine + more);
  for (std::size_t i = 0; i < dimension_; ++i) {
    mean_[i] += change_[i] * share;
    for (std::size_t j = covariance_ ? 0 : i; j <= i; ++j)
      products_[product(i, j)] += other.products_[product(i, j)] + change_[i] * change_[j] * mine * share;
  }
}

ChainTuning ChainStatistics::learnt(const ChainTuning& before) const {
  const auto count = static_cast<double>(report_.count);
  if (count < 2) return before;
  ChainTuning tuning = before;
  const double weight = count / (count + kDrawsBefore);
  for (std::size_t i = 0; i < dimension_; ++i) {
    tuning.means[i] = before.means[i] + weight * (mean_[i] - before.means[i]);
    const double deviation = std::sqrt(products_[product(i, i)] / (count - 1));
    if (!(deviation > 0) || !std::isfinite(deviation)) continue;
    tuning.scales[i] = before.scales[i] * std::exp(weight * std::log(deviation / before.scales[i]));
  }
  if (covariance_) tuning.covariance_factor = covariance_factor(before, tuning.scales);
  return tuning;
}

/// Cholesky's factor of the correlations, times the scales. Those from before weigh so much that few draws give a definite
/// matrix, and, from round to round, so little in the end that the strongest correlations are found.
std::vector<double> ChainStatistics::covariance_factor(const ChainTuning& before,
                                                       std::span<const double> scales) const {
  const auto count = static_cast<double>(report_.count);
  const double weight = count / (count + kDrawsBefore + static_cast<double>(dimension_));
  const auto correlation_before = [&](std::size_t i, std::size_t j) {
    if (before.covariance_factor.empty()) return 0.0;
    const double* const a = before.covariance_factor.data() + i * dimension_;
    const double* const b = before.covariance_factor.data() + j * dimension_;
    double sum = 0;
    for (std::size_t k = 0; k <= j; ++k) sum += a[k] * b[k];
    return sum / (before.scales[i] * before.scales[j]);
  };
  std::vector<double> factor(dimension_ * dimension_, 0.0);
  for (std::size_t i = 0; i < dimension_; ++i) {
    double rest = 1;
    for (std::size_t j = 0; j < i; ++j) {
      const double variances = products_[product(i, i)] * products_[product(j, j)];
      const double now = variances > 0 ? products_[product(i, j)] / std::sqrt(variances) : 0;
      double value = weight * now + (1 - weight) * correlation_before(i, j);
      for (std::size_t k = 0; k < j; ++k) value -= factor[i * dimension_ + k] * factor[j * dimension_ + k];
      value /= factor[j * dimension_ + j];
      factor[i * dimension_ + j] = value;
      rest -= value * value;
    }
    factor[i * dimension_ + i] = std::sqrt(std::max(rest, 1e-14));
  }
  for (std::size_t i = 0; i < dimension_; ++i)
    for (std::size_t j = 0; j <= i; ++j) factor[i * dimension_ + j] *= scales[i];
  return factor;
}

}  // namespace tempera
