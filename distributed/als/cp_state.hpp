#pragma once

#include <boost/serialization/vector.hpp>
#include <boost/serialization/version.hpp>
#include <vector>

namespace tempera {

/// One start of CP-ALS after a sweep, all but the factors. Everything that the next sweep depends on is here in full
/// precision: a Gram matrix computed anew from the factors would differ in its last bits.
struct CpStart {
  int restart = 0;
  int iteration = 0;  ///< sweeps so far
  int quiet = 0;      ///< successive sweeps that changed the fit by less than the tolerance
  double fit = 0;
  double relative_error = 1;
  double fit_resolution = 0;
  bool damped = false;
  bool pseudo_inverse = false;
  std::vector<double> weights;
  std::vector<std::vector<double>> grams;  ///< one a mode, rank × rank
  double objective = 0;                    ///< ‖X − M‖² and the penalties
  int momentum = 0;                        ///< successive sweeps that extrapolation has helped
  double deviance = 0;                     ///< of a Poisson model, like all below
  double kkt_violation = 0;
  std::vector<double> holdout_sums;  ///< when the start has ended; see CpMethod
  // What note_sweep keeps; see CpHealth.
  double movement = 0;        ///< of the factors in the last sweep that was watched
  bool stands_still = false;  ///< the last sweep gained next to nothing
  int stalled = 0;            ///< successive sweeps that stood still and yet moved the factors
  int longest_stall = 0;
  std::vector<double> recent_squares;  ///< Σ ‖component‖² after the last sweeps, the oldest first

  template <class Archive>
  void serialize(Archive& archive, unsigned version) {
    archive& restart& iteration& quiet& fit& relative_error& fit_resolution& damped& pseudo_inverse& weights& grams;
    if (version >= 2) archive& objective& momentum& deviance& kkt_violation& holdout_sums;
    if (version >= 3) archive& movement& stands_still& stalled& longest_stall& recent_squares;
  }
};

/// The part "cp" of a checkpoint. Beside it lie the factors of the start at hand (/factors/0 …), its ADMM duals (/dual/0 …)
/// and, with extrapolation, the factors of the sweep before (/previous/0 …); if an earlier start is the best so far, that
/// one's factors (/best/0 …).
struct CpState {
  CpStart current;  ///< of a finished run: the start that was kept
  bool has_best = false;
  CpStart best;
  std::vector<double> restart_fits;  ///< of the starts that have ended
  bool damped = false;               ///< in any start that has ended
  bool pseudo_inverse = false;
  bool finished = false;
  std::vector<double> restart_deviances;

  template <class Archive>
  void serialize(Archive& archive, unsigned version) {
    archive& current& has_best& best& restart_fits& damped& pseudo_inverse& finished;
    if (version >= 2) archive& restart_deviances;
  }
};

}  // namespace tempera

BOOST_CLASS_VERSION(tempera::CpStart, 3)
BOOST_CLASS_VERSION(tempera::CpState, 2)
