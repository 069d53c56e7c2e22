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
class PathDensity {
 public:
  PathDensity(Target& target, double beta) : target_(&target), beta_(beta) {}

  double beta() const { return beta_; }
  Target& target() const { return *target_; }
  /// At β = 0 the likelihood does not count, also where it is zero. NaN means zero density.
  double combined(const LogDensity& parts) const;
  /// Evaluates and combines; NaN parts are counted as invalid.
  double at(std::span<const double> u, LogDensity& parts);

  Index evaluations() const { return evaluations_; }
  Index invalid() const { return invalid_; }

 private:
  Target* target_;
  double beta_;
  Index evaluations_ = 0;
  Index invalid_ = 0;
};

/// A transition kernel that leaves every π_β invariant. Holds scratch: one object a thread. Nothing in it adapts; what is
/// learnt between rounds comes in as scales.
class Explorer {
 public:
  virtual ~Explorer() = default;
  virtual std::unique_ptr<Explorer> clone() const = 0;
  /// One step from `point`, whose density is current, to the next.
  /// @param scales  a typical width of each coordinate at this temperature, > 0
  virtual void step(PathDensity& density, std::span<const double> scales, SamplePoint& point, RandomStream& stream) = 0;
};

}  // namespace tempera
