#pragma once

#include <boost/serialization/vector.hpp>
#include <vector>

#include "distributed/als/cp_state.hpp"

namespace tempera {

/// Where a CP model or the way to it is not sound. What depends on Gram matrices is absent from Poisson models, which
/// have none: there `conditions` is empty and the cosines are 0.
struct CpHealth {
  /// Least product over the modes of the cosines between two components: −1 means that they cancel each other. 0 below
  /// rank 2, as a bound: healthy models stay far above kOpposed.
  double least_cosine_product = 0;
  int opposed[2] = {-1, -1};  ///< those two components, in the order of the model; −1 if no product is negative
  double cancellation = 1;    ///< Σ ‖component‖² / ‖model‖²: near 1, or far above it when components cancel
  double growth = 1;          ///< of √Σ ‖component‖² over the last sweeps, kRememberedSweeps at most
  bool degenerate = false;  ///< opposed components whose norms still grow: the best model of this rank lies at infinity

  int swamp_sweeps = 0;  ///< longest run of sweeps that gained less than kStandstill while the factors moved
  double movement = 0;   ///< of the factors in the last sweep that was watched: root mean square of 2(1 − cos), the
                         ///< columns weighted by the squares of the component weights; those that gained enough are not
  bool swamp = false;    ///< kSwampSweeps of them or more

  std::vector<double> conditions;  ///< of each mode's H in the 2-norm at the end; infinite where singular

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& least_cosine_product& opposed& cancellation& growth& degenerate& swamp_sweeps& movement& swamp& conditions;
  }
};

constexpr double kOpposing = -0.85;      // degenerate if they still grow: as a rule models that have come so far go on
constexpr double kOpposed = -0.97;       // products of cosines below: as Tomasi & Bro 2006 advise to watch
constexpr double kStillGrowing = 1.001;  // growth over the remembered sweeps
constexpr int kRememberedSweeps = 10;
constexpr double kStandstill = 1e-6;  // gain of fit in a sweep
constexpr double kMoving = 1e-4;      // movement in a sweep
constexpr int kSwampSweeps = 20;      // in a row

/// Keeps the account of a start after a sweep that changed the score by `gain` and, if it was watched, moved the factors
/// by start.movement. Local, the same on all ranks.
void note_sweep(CpStart& start, double gain);

/// Whether the next sweep should measure how far it moves the factors: the one before gained next to nothing.
inline bool wants_watching(const CpStart& start) {
  return start.iteration > 0 && start.stands_still;
}

/// Whether the start is in a swamp now.
inline bool in_swamp(const CpStart& start) {
  return start.stalled >= kSwampSweeps;
}

/// Local, from the Gram matrices. Cost: N · rank³.
CpHealth health_of(const CpStart& start);

}  // namespace tempera
