#include "core/bayesopt/blind_proposers.hpp"

#include <algorithm>
#include <optional>

#include "core/base/error.hpp"
#include "core/bayesopt/feasible.hpp"
#include "core/bayesopt/sobol.hpp"

namespace tempera {

namespace {

constexpr Index kNewTries = 64;  // draws until a point may come again
constexpr Index kBlock = 64, kMostBlocks = Index{1} << 14;

bool is_new(const Space& space, const Point& point, std::span<const Trial> finished,
            std::span<const PendingTrial> pending) {
  const auto same = [&](const auto& trial) { return space.same(trial.point, point); };
  return std::none_of(finished.begin(), finished.end(), same) && std::none_of(pending.begin(), pending.end(), same);
}

}  // namespace

Proposal RandomProposer::propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) {
  RandomStream stream(seed_, "random-proposal", {number});
  Proposal proposal{sample_feasible(space_, stream), {{"rule", "random"}}};
  for (Index tries = 1; tries < kNewTries && !is_new(space_, proposal.point, finished, pending); ++tries)
    proposal.point = sample_feasible(space_, stream);
  return proposal;
}

/// The first of the sequence that is feasible and new, from `number` on: at least so many points are not.
Proposal SobolProposer::propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) {
  const ScrambledSobol sobol(space_.size(), seed_, "sobol-proposal");
  std::optional<Point> known;
  Index since_known = 0;
  for (Index block = 0; block < kMostBlocks; ++block) {
    const Eigen::MatrixXd units = sobol.points(number + block * kBlock, kBlock);
    for (Index k = 0; k < kBlock; ++k) {
      Point point = space_.from_unit({units.col(k).data(), static_cast<std::size_t>(units.rows())});
      if (!space_.feasible(point)) continue;
      if (is_new(space_, point, finished, pending))
        return {std::move(point), {{"rule", "sobol"}, {"index", number + block * kBlock + k}}};
      if (!known) known = std::move(point);
      ++since_known;
    }
    if (since_known >= kNewTries * kBlock) break;
  }
  if (known) return {std::move(*known), {{"rule", "sobol"}, {"repeated", true}}};
  RandomStream stream(seed_, "sobol-proposal", {number});
  return {sample_feasible(space_, stream), {{"rule", "random"}}};  // says which constraint is to blame
}

}  // namespace tempera
