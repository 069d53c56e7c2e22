#include "distributed/tempering/draw_summary.hpp"

#include <algorithm>

#include "distributed/tempering/block_deal.hpp"

namespace tempera {

std::vector<ParameterSummary> summarise_draws(const Communicator& ranks, const DrawStore& draws, Index columns,
                                              const std::vector<Index>& streams) {
  constexpr Index kNumbers = Index{1} << 22;
  const Index length = draws.streams() * draws.draws();
  const Index batch = std::max<Index>(1, kNumbers / std::max<Index>(1, length)) * ranks.size();
  std::vector<ParameterSummary> summaries;
  SummaryWorkspace workspace;
  for (Index begin = 0; begin < columns; begin += batch) {
    const BlockDeal deal{std::min(batch, columns - begin), ranks.size()};
    const Index first = deal.begin(ranks.rank()), mine = deal.end(ranks.rank()) - first;
    const std::vector<double> values = draws.columns(ranks, begin + first, mine);
    std::vector<ParameterSummary> own;
    for (Index c = 0; c < mine; ++c) {
      std::vector<std::span<const double>> chains;
      for (const Index stream : streams)
        chains.push_back(std::span(values).subspan(
            static_cast<std::size_t>((c * draws.streams() + stream) * draws.draws()),
            static_cast<std::size_t>(draws.draws())));
      own.push_back(summarise(chains, workspace));
    }
    const auto all = ranks.all_gather(std::span<const ParameterSummary>(own));
    summaries.insert(summaries.end(), all.begin(), all.end());
  }
  return summaries;
}

}  // namespace tempera
