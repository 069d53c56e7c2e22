#pragma once

#include <functional>
#include <utility>

#include "core/sampling/explorer.hpp"

namespace tempera {

/// A kernel of one's own, such as a Gibbs update or a move between known modes: changes u in place so that
/// π_β ∝ exp(reference + β likelihood) stays invariant, with random numbers from the stream alone. It may evaluate the
/// density; the explorer evaluates it afterwards. Where it comes out zero (a move that left the support by rounding), the
/// chain stays where it was.
///
///     FunctionExplorer flip([](PathDensity&, const ChainTuning&, std::span<double> u, RandomStream& stream) {
///       if (stream.uniform() < 0.5) u[0] = -u[0];  // of a density that is even in u[0]
///     });
class FunctionExplorer final : public Explorer {
 public:
  using Kernel = std::function<void(PathDensity&, const ChainTuning&, std::span<double> u, RandomStream&)>;
  struct Needs {
    bool gradient = false;
    bool covariance = false;
  };

  /// @param kernel copied by clone(), and then used by another thread
  explicit FunctionExplorer(Kernel kernel, Needs needs) : kernel_(std::move(kernel)), needs_(needs) {}
  explicit FunctionExplorer(Kernel kernel) : FunctionExplorer(std::move(kernel), {}) {}

  std::unique_ptr<Explorer> clone() const override { return std::make_unique<FunctionExplorer>(*this); }
  StepRecord step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point, RandomStream& stream) override;
  bool needs_gradient() const override { return needs_.gradient; }
  bool wants_covariance() const override { return needs_.covariance; }

 private:
  Kernel kernel_;
  Needs needs_;
  std::vector<double> u_;
};

}  // namespace tempera
