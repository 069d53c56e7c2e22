#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bayesopt/free_coordinates.hpp"
#include "core/bayesopt/proposer.hpp"
#include "core/minimization/cma_es.hpp"

namespace tempera {

struct CmaEsOptions {
  std::uint64_t seed = 0;
  Index population = 0;  ///< points a generation of the first run; 0: 4 + ⌊3 ln n⌋
};

/// Evolution by CmaEs: no model, only the order of the values matters, so it is for cheap trials by the hundreds and thousands,
/// and for more parameters than a Gaussian process is good for.
///
/// Nobody waits for the end of a generation: the distribution is brought up to date whenever λ results have come, in the
/// order in which they came, and every proposal is drawn from the one that its known results make. A result of a point
/// that was drawn from an older one counts too, as foreign (see CmaEs::update). With one worker, or a batch of λ, that is the
/// published algorithm. A proposal depends on its number and the finished trials.
///
/// Order: first those that meet the constraints that trials report, by value; then the others by the sum of what they exceed
/// them; then failed trials; equal ones by their numbers. Where known constraints forbid a point it is drawn again (a
/// thousand times, then uniformly), in a space without real parameters also where it was tried before (a hundred times). Integers
/// keep a margin of 1/(λ n) (with_margin).
///
/// When nothing more comes the next run begins somewhere else with twice the population (IPOP, Auger & Hansen 2005). Ends: steps
/// below 1e-11 of the ranges, the breakdowns of CmaEs, best values of 10 + 30 n/λ generations and all of the last one within
/// 1e-12 of the first generation's range, no better median for long (Hansen 2016, B.3).
class CmaEsProposer final : public Proposer {
 public:
  /// @param space  outlives this
  /// @throws Error{usage} as FreeCoordinates
  CmaEsProposer(const Space& space, CmaEsOptions options);

  bool is_quick() const override { return true; }
  Proposal propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) override;

 private:
  /// A place in the free coordinates and its point.
  struct Draw {
    Eigen::VectorXd place;
    Point point;
    bool foreign = false;
  };
  struct Generation {
    Index run = 0;
    Index results = 0;  ///< that made it, of the finished ones
    CmaDistribution distribution;
  };
  /// Of a trial: the least comes first.
  struct Rank {
    int kind;  ///< 0 meets the constraints, 1 does not, 2 failed
    double value;
    Index number;
    auto operator<=>(const Rank&) const = default;
  };
  struct Seen {
    Index number;
    TrialStatus status;
    double value;
  };

  static Rank rank_of(const Trial& trial);
  bool goes_on_from(std::span<const Trial> finished) const;
  void forget();
  void begin_run();
  void learn(std::span<const Trial> finished);
  void end_generation(std::vector<const Trial*> trials);
  void keep_margins();
  void note(std::span<const Trial* const> trials);
  bool has_ended() const;
  const Generation& generation_of(Index known) const;
  Draw draw(Index number, Index attempt, const CmaDistribution& from) const;
  Draw draw_again(const Trial& trial) const;

  const Space& space_;
  FreeCoordinates coordinates_;
  CmaEsOptions options_;
  bool only_cells_;
  std::vector<Seen> seen_;  // finished trials that were learned from, or left out
  std::vector<Generation> generations_;
  std::optional<CmaEs> run_;
  Index runs_ = 0;
  std::vector<double> best_, median_;  // of the generations of this run
  double first_range_ = 0, last_range_ = 0;
};

}  // namespace tempera
