#include "distributed/tempering/detail/ladder_sizes.hpp"

#include <algorithm>

#include "core/sampling/schedule.hpp"

namespace tempera::detail {

namespace {

constexpr Index kFirstChains = 8;                 // of a leg whose length follows the barrier
constexpr int kFirstResize = 3, kLastResize = 7;  // rounds, whatever their number, so that a run can be extended
constexpr Index kMostChains = 1024;

}  // namespace

std::vector<Index> first_sizes(const TemperingOptions& options) {
  const bool two = options.reference == TemperingReference::two_legs;
  if (options.chains == 0) return std::vector<Index>(two ? 2 : 1, kFirstChains);
  if (!two) return {options.chains};
  return {(options.chains + 1) / 2, options.chains / 2};
}

std::vector<Index> next_sizes(const TemperingOptions& options, const TemperingRound& round) {
  std::vector<Index> sizes = round.sizes;
  if (options.chains != 0 || round.round < kFirstResize || round.round > kLastResize) return sizes;
  Index first = 0;
  for (std::size_t leg = 0; leg < sizes.size(); ++leg) {
    // Where neighbours hardly ever swap, draws of one chain say little of the barrier between them.
    double rejections = 0;
    for (Index p = first; p + 1 < first + sizes[leg]; ++p) rejections += round.rejections[static_cast<std::size_t>(p)];
    first += sizes[leg];
    const Index wanted = suggested_chains(std::max(round.leg_barriers[leg], rejections));
    sizes[leg] = std::clamp(wanted, std::max<Index>(2, sizes[leg] / 2), std::min(2 * sizes[leg], kMostChains));
  }
  return sizes;
}

}  // namespace tempera::detail
