#include "distributed/tempering/draw_summary.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"
#include "core/sampling/evidence.hpp"
#include "distributed/tempering/block_deal.hpp"

namespace tempera {

namespace {

/// Columns that are summarised at a time.
Index batch_of(int ranks, Index length) {
  constexpr Index kNumbers = Index{1} << 22;
  return std::max<Index>(1, kNumbers / std::max<Index>(1, length)) * ranks;
}

/// Calls summarise(columns, c, of), c-th of the columns that this rank has read, for each column in turn; all results are
/// on every rank. Memory: some 32 MiB, or one column.
template <class Summary, class Summarise>
std::vector<Summary> deal_columns(const Communicator& ranks, const DrawStore& draws, Index columns,
                                  Summarise summarise) {
  const Index length = draws.streams() * draws.draws();
  const Index batch = batch_of(ranks.size(), length);
  std::vector<Summary> summaries;
  for (Index begin = 0; begin < columns; begin += batch) {
    const BlockDeal deal{std::min(batch, columns - begin), ranks.size()};
    const Index first = deal.begin(ranks.rank()), mine = deal.end(ranks.rank()) - first;
    const std::vector<double> values = draws.columns(ranks, begin + first, mine);
    std::vector<Summary> own;
    for (Index c = 0; c < mine; ++c)
      own.push_back(
          summarise(std::span(values).subspan(static_cast<std::size_t>(c * length), static_cast<std::size_t>(length))));
    const auto all = ranks.all_gather(std::span<const Summary>(own));
    summaries.insert(summaries.end(), all.begin(), all.end());
  }
  return summaries;
}

std::vector<std::span<const double>> chains_of(std::span<const double> column, const DrawStore& draws,
                                               const std::vector<Index>& streams) {
  const auto length = static_cast<std::size_t>(draws.draws());
  std::vector<std::span<const double>> chains;
  for (const Index stream : streams) chains.push_back(column.subspan(static_cast<std::size_t>(stream) * length, length));
  return chains;
}

}  // namespace

Traffic dealt_columns_traffic(int ranks, int rank, Index columns, Index length, Index summary_bytes) {
  Traffic sent;
  const Index batch = batch_of(ranks, length);
  for (Index begin = 0; begin < columns; begin += batch) {
    const BlockDeal deal{std::min(batch, columns - begin), ranks};
    sent += copies_traffic(ranks, static_cast<std::size_t>(summary_bytes * (deal.end(rank) - deal.begin(rank))));
  }
  return sent;
}

std::vector<ParameterSummary> summarise_draws(const Communicator& ranks, const DrawStore& draws, Index columns,
                                              const std::vector<Index>& streams) {
  SummaryWorkspace workspace;
  return deal_columns<ParameterSummary>(ranks, draws, columns, [&](std::span<const double> column) {
    return summarise(chains_of(column, draws, streams), workspace);
  });
}

std::vector<double> nested_rhats(const Communicator& ranks, const DrawStore& draws, Index columns,
                                 const std::vector<Index>& streams, const std::vector<int>& ladders) {
  return deal_columns<double>(ranks, draws, columns, [&](std::span<const double> column) {
    return rhat_nested(chains_of(column, draws, streams), ladders);
  });
}

std::vector<std::vector<double>> weights_of_draws(const Communicator& ranks, const TemperingOptions& options,
                                                  std::span<const double> schedule, const DrawStore& draws) {
  TEMPERA_EXPECTS(options.keep_all && options.reference != TemperingReference::two_legs);
  const Index column = draws.width() - kDrawStatistics + static_cast<Index>(DrawStatistic::log_likelihood);
  const bool root = ranks.is_root();
  const std::vector<double> likelihoods = draws.columns(ranks, root ? column : 0, root ? 1 : 0);
  const auto length = schedule.size() * static_cast<std::size_t>(draws.draws());
  std::vector<std::vector<double>> weights(static_cast<std::size_t>(options.ladders), std::vector<double>(length));
  for (std::size_t ladder = 0; ladder < weights.size(); ++ladder) {
    if (root)
      weights[ladder] =
          target_weights(schedule, std::span(likelihoods).subspan(ladder * length, length), draws.draws());
    ranks.broadcast(std::span<double>(weights[ladder]), 0);
  }
  return weights;
}

std::vector<WeightedSummary> summarise_weighted(const Communicator& ranks, const DrawStore& draws, Index columns,
                                                const std::vector<std::vector<double>>& weights) {
  const auto ladders = static_cast<double>(weights.size());
  return deal_columns<WeightedSummary>(ranks, draws, columns, [&](std::span<const double> column) {
    WeightedSummary mean;
    double squares = 0, variances = 0;
    const std::size_t length = column.size() / weights.size();
    for (std::size_t ladder = 0; ladder < weights.size(); ++ladder) {
      const WeightedSummary one =
          weighted_summary(column.subspan(ladder * length, length), weights[ladder], draws.draws());
      mean.mean += one.mean / ladders;
      squares += (one.sd * one.sd + one.mean * one.mean) / ladders;
      variances += one.mcse_mean * one.mcse_mean / (ladders * ladders);
      mean.q05 += one.q05 / ladders;
      mean.q50 += one.q50 / ladders;
      mean.q95 += one.q95 / ladders;
    }
    mean.sd = std::sqrt(std::max(0.0, squares - mean.mean * mean.mean));
    mean.mcse_mean = std::sqrt(variances);
    mean.ess = mean.sd * mean.sd / variances;
    return mean;
  });
}

}  // namespace tempera
