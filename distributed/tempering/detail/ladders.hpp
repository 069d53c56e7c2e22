#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/sampling/explorers/slice_explorer.hpp"
#include "core/sampling/gaussian_reference.hpp"
#include "distributed/tempering/block_deal.hpp"
#include "distributed/tempering/replica.hpp"
#include "distributed/tempering/swap_board.hpp"
#include "distributed/tempering/tempering.hpp"

namespace tempera::detail {

inline constexpr std::size_t kCorrelatedUpTo = 200;  ///< dimensions of a fitted reference with correlations

/// What all ranks know of the ladders, besides the replicas.
struct LaddersState {
  std::vector<Index> sizes;
  std::vector<double> betas;
  std::vector<ChainTuning> tunings;
  ChainTuning fitted;  ///< for the fitted reference
};

/// The replicas of one rank, with all it takes to move them: targets of each leg and explorers, one a thread.
class Ladders {
 public:
  /// Collective.
  Ladders(const Communicator& ranks, const Target& target, const Explorer& explorer, const TemperingOptions& options);

  const LadderPlan& plan() const { return plan_; }
  SwapBoard& board() { return board_; }
  std::vector<Replica>& replicas() { return replicas_; }
  const std::vector<Replica>& replicas() const { return replicas_; }
  const std::vector<ChainTuning>& tunings() const { return tunings_; }
  std::size_t dimension() const { return dimension_; }
  bool covariance(Index chain) const;
  Index record_width() const { return static_cast<Index>(record_.size()); }

  /// Draws the states and chooses step sizes. Collective.
  void start();
  /// The board is ready for swaps from `scan` on.
  void begin_round(int round, Index scan);
  /// Explores, keeps, swaps. @param draws  null: none are kept in this scan
  void scan(int round, Index scan, DrawStore& draws, std::optional<Index> draw);
  /// Learns from the round, forgets it and goes over to a ladder of the given sizes. Collective.
  void adapt(const TemperingRound& result, std::vector<Index> sizes);
  /// Of the chains that chain_deal() gives this rank, merged over replicas in their order. Collective.
  std::vector<ChainStatistics> chain_statistics() const;
  BlockDeal chain_deal() const { return {plan_.chains(), ranks_.size()}; }

  LaddersState state() const;
  /// Replicas of this rank, to be filled by the caller.
  void restore(const LaddersState& state);

 private:
  struct Worker {
    std::vector<std::unique_ptr<Target>> targets;  ///< of each leg
    std::unique_ptr<Explorer> explorer;
    SliceExplorer finder;  ///< of the way to where the mass is
    std::optional<PathDensity> density;
  };
  void make_workers(const Target& target, const Explorer& explorer);
  void deal();
  template <class Work>
  void with_density(Worker& worker, Replica& replica, Work work);
  void evaluate(Worker& worker, Replica& replica);
  void start(Worker& worker, Replica& replica);
  void choose_step_sizes();
  void explore(Worker& worker, Replica& replica, int round, Index scan);
  void explore_all(int round, Index scan);
  void keep(const Replica& replica, DrawStore& draws, Index draw);
  void learn(const TemperingRound& result);
  void share_tunings(const std::vector<ChainTuning>& mine);
  void set_fitted_reference();
  void redeal(const LadderPlan& old_plan);
  void check(const Replica& replica) const;

  const Communicator& ranks_;
  const TemperingOptions& options_;
  std::size_t dimension_;
  std::size_t constrained_size_;
  LadderPlan plan_;
  BlockDeal deal_;
  SwapBoard board_;
  std::vector<Worker> workers_;
  std::vector<ChainTuning> tunings_;
  ChainTuning fitted_;
  std::vector<Replica> replicas_;
  std::vector<SwapOffer> offers_;
  std::vector<double> record_;
};

}  // namespace tempera::detail
