#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/base/index.hpp"
#include "core/base/random_stream.hpp"
#include "core/sampling/target.hpp"

namespace tempera {

/// A point and the parts of the density there.
struct SamplePoint {
  std::vector<double> u;
  LogDensity density;
};

/// log π_β(u) = reference + β likelihood of one target, up to a constant. Refers to the target; counts what it is asked.
/// One object a thread.
class PathDensity {
 public:
  PathDensity(Target& target, double beta) : target_(&target), beta_(beta) {}

  /// On to another temperature, or another target of the same dimension.
  void move_to(Target& target, double beta) {
    target_ = &target;
    beta_ = beta;
  }

  double beta() const { return beta_; }
  Target& target() const { return *target_; }
  /// At β = 0 the likelihood does not count, also where it is zero. NaN means zero density.
  double combined(const LogDensity& parts) const;
  /// Evaluates and combines; NaN parts are counted as invalid.
  double at(std::span<const double> u, LogDensity& parts);
  /// The same with ∂ log π_β/∂u, overwritten. A gradient that is not finite where the density is positive is invalid too:
  /// the density counts as zero there. @pre target().has_gradient()
  double at(std::span<const double> u, LogDensity& parts, std::span<double> gradient);

  Index evaluations() const { return evaluations_; }
  /// Of those, with gradient.
  Index gradients() const { return gradients_; }
  Index invalid() const { return invalid_; }

 private:
  double invalid_at(LogDensity& parts);

  Target* target_;
  double beta_;
  Index evaluations_ = 0;
  Index gradients_ = 0;
  Index invalid_ = 0;
  std::vector<double> likelihood_gradient_;
};

/// What is known of one chain (temperature), learnt in the rounds before and frozen within one.
struct ChainTuning {
  std::vector<double> means;   ///< of the coordinates
  std::vector<double> scales;  ///< standard deviations of the coordinates, > 0
  /// Lower triangle L of the covariance LLᵀ, row-major d × d with zeros above; empty until it is known, and always if the
  /// explorer does not want it.
  std::vector<double> covariance_factor;
  double step_size = 0;  ///< in the unit of the explorer; 0: not chosen yet
};

/// What one step of an explorer was like.
struct StepRecord {
  double acceptance = 1;  ///< mean acceptance probability of its proposals
  Index proposals = 0;    ///< or leapfrog steps
  int depth = 0;          ///< of NUTS' tree
  bool divergent = false;
  bool saturated = false;     ///< the tree had to stop growing
  double energy = 0;          ///< −log π_β + kinetic energy where the step began, of Hamiltonian explorers
  double log_step_ratio = 0;  ///< logarithm of the step size that was used over that of the tuning
};

/// The steps of a round in one chain, by all replicas that passed through it.
struct ChainReport {
  Index count = 0;
  double acceptance = 0;      ///< mean
  double log_step_ratio = 0;  ///< mean
  Index proposals = 0;        ///< sum
  Index divergences = 0;
  Index saturations = 0;
};

/// A transition kernel that leaves every π_β invariant. Holds scratch: one object a thread, any order of use. Nothing in
/// it adapts; what is learnt between rounds comes in as the tuning.
class Explorer {
 public:
  virtual ~Explorer() = default;
  virtual std::unique_ptr<Explorer> clone() const = 0;
  /// One step from `point`, whose density is current, to the next; the density of that is current again. Allocates
  /// nothing once it has been called.
  virtual StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                          RandomStream& stream) = 0;

  virtual bool needs_gradient() const { return false; }
  /// Whether the tuning is to hold a covariance factor, which costs 8 d² bytes a chain and replica that visits it.
  virtual bool wants_covariance() const { return false; }
  /// A step size for the very first round, or where `step_size` is 0: from a state of the chain. May evaluate the density;
  /// the stream belongs to this call. 0 where the explorer has none.
  virtual double first_step_size(PathDensity& density, const ChainTuning& tuning, const SamplePoint& point,
                                 RandomStream& stream);
  /// The step size of the next round: `tuning` holds the one of this round, and means, scales and covariance as they
  /// will be. 0 where the explorer has none.
  virtual double next_step_size(const ChainTuning& tuning, const ChainReport& report) const;
};

}  // namespace tempera
