#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/sampling/cp_model.hpp"
#include "distributed/communicator/communicator.hpp"
#include "distributed/tempering/cp_posterior.hpp"
#include "distributed/tempering/draw_store.hpp"
#include "distributed/tensor/holdout_score.hpp"

namespace tempera {

/// What the draws of a posterior say of the cells that it was not told of.
struct PredictionScore {
  HoldoutScore loss;  ///< squared error, or Poisson deviance 2 (x ln(x/m) − x + m), of the mean of m over the draws
  HoldoutScore log_score;  ///< log of the mean over the draws of the density of x: higher is better
};

/// Predicts cells kept apart by the mean over draws of the model value: components of different draws may stand in any
/// order, at any scale between the modes, with any signs, so that factors must not be averaged.
///
/// The cells are dealt to the ranks, and each sees all draws in the same order: the same bits for any number of ranks.
class HeldOutPrediction {
 public:
  static constexpr Index kNumbersAtATime = Index{1} << 21;  ///< of draws, on their way to all ranks

  /// @param ranks    those that share the work: the leaders
  /// @param options  with the defaults filled in, as CpPosterior has them
  /// @param held     on every rank the same
  HeldOutPrediction(const Communicator& ranks, const CpModelOptions& options, std::vector<Index> shape, HeldCells held);

  /// Entries of θ.
  std::size_t width() const { return width_; }
  /// Takes in one draw, on all ranks the same. Cost: order · rank for each of this rank's cells. Local.
  void add(std::span<const double> theta);
  /// All draws of some streams, draw by draw; records begin with θ. Words moved: all of them to each rank. Collective.
  void add(const DrawStore& draws, std::span<const Index> streams);

  Index draws() const { return draws_; }
  /// The mean of m at every cell, on all ranks. Collective. @pre draws() > 0
  std::vector<double> means() const;
  /// None without cells or draws. Collective.
  std::optional<PredictionScore> score() const;

 private:
  Communicator ranks_;
  CpModelOptions options_;
  std::vector<Index> shape_;
  HeldCells held_;
  std::size_t width_ = 0;
  std::size_t first_ = 0;  ///< of this rank's cells
  Index draws_ = 0;
  std::vector<double> product_;
  /// Of this rank's cells: Σ m, the largest log density, and Σ exp(log density − largest).
  std::vector<double> models_, largest_, densities_;
};

}  // namespace tempera
