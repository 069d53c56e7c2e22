#pragma once

#include <array>
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

/// Most step sizes that the explorers of one cycle or mixture may have between them.
inline constexpr int kMostStepSizes = 4;

/// What is known of one chain (temperature), learnt in the rounds before and frozen within one.
struct ChainTuning {
  std::vector<double> means;   ///< of the coordinates; empty: not known, taken for 0
  std::vector<double> scales;  ///< standard deviations of the coordinates, > 0
  /// Lower triangle L of the covariance LLᵀ, row-major d × d with zeros above; empty until it is known, and always if the
  /// explorer does not want it.
  std::vector<double> covariance_factor;
  /// Explorer::step_size_count() entries, in the units of the explorers.
  std::vector<double> step_sizes;
};

/// How a step size did: sums over so many steps. An explorer's place is that of its step size in the tuning.
struct StepSizeUse {
  Index count = 0;
  double acceptance = 0;  ///< mean acceptance probability of a step's proposals
  double log_ratio = 0;   ///< logarithm of the step size that was used over that of the tuning
};

/// What one step of an explorer was like.
struct StepRecord {
  double acceptance = 1;  ///< mean acceptance probability of its proposals
  Index proposals = 0;    ///< or leapfrog steps
  int depth = 0;          ///< of NUTS' tree
  bool divergent = false;
  bool saturated = false;  ///< the tree had to stop growing
  double energy = 0;       ///< −log π_β + kinetic energy where the step began, if the explorer has_energy()
  std::array<StepSizeUse, kMostStepSizes> step_sizes{};
};

/// The steps of a round in one chain, by all replicas that passed through it; sums, and a plain block of memory.
struct ChainReport {
  Index count = 0;
  double acceptance = 0;
  Index proposals = 0;
  Index divergences = 0;
  Index saturations = 0;
  std::array<StepSizeUse, kMostStepSizes> step_sizes{};

  double mean_acceptance() const { return count > 0 ? acceptance / static_cast<double>(count) : 0; }
  void add(const StepRecord& record);
  /// Rounded sums: for equal bits, merge in an order that does not depend on the ranks.
  void add(const ChainReport& other);
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
  /// Whether records hold an energy, and divergences mean something.
  virtual bool has_energy() const { return false; }

  /// At most kMostStepSizes.
  virtual int step_size_count() const { return 0; }
  /// Step sizes for the very first round of a chain, from one of its states. May evaluate the density; the stream belongs
  /// to this call. The tuning's step sizes are not read.
  virtual std::vector<double> first_step_sizes(PathDensity& density, const ChainTuning& tuning,
                                               const SamplePoint& point, RandomStream& stream);
  /// The step sizes of the next round. @param before the tuning of the round that `report` is about
  /// @param after means, scales and covariance of the next one; its step sizes are not read
  virtual std::vector<double> next_step_sizes(const ChainTuning& before, const ChainTuning& after,
                                              const ChainReport& report) const;
  /// Called by a composite that holds this explorer: its step sizes are those from `place` on.
  virtual void place_step_sizes(int place);
};

/// An explorer with one step size.
class SteppingExplorer : public Explorer {
 public:
  int step_size_count() const final { return 1; }
  std::vector<double> first_step_sizes(PathDensity& density, const ChainTuning& tuning, const SamplePoint& point,
                                       RandomStream& stream) final;
  std::vector<double> next_step_sizes(const ChainTuning& before, const ChainTuning& after,
                                      const ChainReport& report) const final;
  void place_step_sizes(int place) final { place_ = static_cast<std::size_t>(place); }

 protected:
  double step_size(const ChainTuning& tuning) const;
  /// Enters how the step size did in this step.
  void note(StepRecord& record, double acceptance, double log_ratio = 0) const;

  virtual double first_step_size(PathDensity& density, const ChainTuning& tuning, const SamplePoint& point,
                                 RandomStream& stream) = 0;
  /// @param step that of the round before, @param use how it did
  virtual double next_step_size(double step, const StepSizeUse& use, const ChainTuning& before,
                                const ChainTuning& after) const = 0;

 private:
  std::size_t place_ = 0;
};

}  // namespace tempera
