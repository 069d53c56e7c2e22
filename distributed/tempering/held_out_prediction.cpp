#include "distributed/tempering/held_out_prediction.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "core/base/contract.hpp"
#include "distributed/tempering/block_deal.hpp"

namespace tempera {

namespace {

constexpr double kNothing = -std::numeric_limits<double>::infinity();

double loss_at(CpLikelihood likelihood, double x, double m) {
  if (likelihood == CpLikelihood::gaussian) return (x - m) * (x - m);
  return 2 * ((x > 0 ? x * std::log(x / m) : 0) - x + m);
}

/// Sum and sum of squares for each stratum, in the order of the cells.
std::vector<double> sums_of(std::span<const double> values, const HeldCells& held) {
  std::vector<double> sums(2 * held.strata.size(), 0.0);
  for (std::size_t k = 0; k < values.size(); ++k) {
    const auto stratum = static_cast<std::size_t>(held.stratum[k]);
    sums[2 * stratum] += values[k];
    sums[2 * stratum + 1] += values[k] * values[k];
  }
  return sums;
}

}  // namespace

HeldOutPrediction::HeldOutPrediction(const Communicator& ranks, const CpModelOptions& options, std::vector<Index> shape,
                                     HeldCells held)
    : ranks_(ranks),
      options_(options),
      shape_(std::move(shape)),
      held_(std::move(held)),
      product_(static_cast<std::size_t>(options.rank)) {
  const Index rows = std::accumulate(shape_.begin(), shape_.end(), Index{0});
  const bool noise = options_.likelihood == CpLikelihood::gaussian && !options_.noise_sd;
  width_ = static_cast<std::size_t>(rows * options_.rank + (noise ? 1 : 0));
  const BlockDeal deal{held_.cells.size(), ranks_.size()};
  first_ = static_cast<std::size_t>(deal.begin(ranks_.rank()));
  const std::size_t mine = static_cast<std::size_t>(deal.end(ranks_.rank())) - first_;
  models_.assign(mine, 0.0);
  largest_.assign(mine, kNothing);
  densities_.assign(mine, 0.0);
}

void HeldOutPrediction::add(std::span<const double> theta) {
  TEMPERA_EXPECTS(theta.size() == width_);
  ++draws_;
  const bool gaussian = options_.likelihood == CpLikelihood::gaussian;
  const double sd = gaussian ? options_.noise_sd.value_or(theta.back()) : 0;
  const double log_scale = gaussian ? std::log(sd) + 0.5 * std::log(2 * std::numbers::pi) : 0;
  for (std::size_t k = 0; k < models_.size(); ++k) {
    std::fill(product_.begin(), product_.end(), 1.0);
    const double* factor = theta.data();
    for (std::size_t mode = 0; mode < shape_.size(); ++mode) {
      const double* row = factor + held_.cells.indices[mode][first_ + k] * options_.rank;
      for (std::size_t r = 0; r < product_.size(); ++r) product_[r] *= row[r];
      factor += shape_[mode] * options_.rank;
    }
    const double m = std::accumulate(product_.begin(), product_.end(), 0.0), x = held_.cells.values[first_ + k];
    const double z = gaussian ? (x - m) / sd : 0;
    const double log_density =
        gaussian ? -0.5 * z * z - log_scale : (x > 0 ? x * std::log(m) : 0) - m - std::lgamma(x + 1);
    models_[k] += m;
    if (log_density > largest_[k]) {
      densities_[k] = densities_[k] * std::exp(largest_[k] - log_density) + 1;
      largest_[k] = log_density;
    } else if (log_density > kNothing) {
      densities_[k] += std::exp(log_density - largest_[k]);
    }
  }
}

void HeldOutPrediction::add(const DrawStore& draws, std::span<const Index> streams) {
  const Index record = draws.width() * draws.streams(), step = std::max<Index>(1, kNumbersAtATime / record);
  for (Index first = 0; first < draws.draws(); first += step) {
    const Index count = std::min(step, draws.draws() - first);
    std::vector<double> records = draws.records(ranks_, first, count);
    records.resize(static_cast<std::size_t>(count * record));
    ranks_.broadcast(std::span<double>(records), 0);
    for (Index draw = 0; draw < count; ++draw)
      for (const Index stream : streams)
        add(std::span<const double>(records).subspan(static_cast<std::size_t>(draw * record + stream * draws.width()),
                                                     width_));
  }
}

std::vector<double> HeldOutPrediction::means() const {
  std::vector<double> mine = models_;
  for (double& mean : mine) mean /= static_cast<double>(draws_);
  return ranks_.all_gather(std::span<const double>(mine));
}

std::optional<PredictionScore> HeldOutPrediction::score() const {
  if (draws_ == 0) return std::nullopt;
  std::vector<double> losses = means(), mine;
  for (std::size_t k = 0; k < losses.size(); ++k)
    losses[k] = loss_at(options_.likelihood, held_.cells.values[k], losses[k]);
  for (std::size_t k = 0; k < models_.size(); ++k)
    mine.push_back(largest_[k] + std::log(densities_[k] / static_cast<double>(draws_)));
  const auto log_scores = ranks_.all_gather(std::span<const double>(mine));
  const auto loss = holdout_score(held_.strata, sums_of(losses, held_));
  const auto log_score = holdout_score(held_.strata, sums_of(log_scores, held_));
  if (!loss || !log_score) return std::nullopt;
  return PredictionScore{*loss, *log_score};
}

}  // namespace tempera
