#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/index.hpp"
#include "core/base/random_stream.hpp"
#include "core/sampling/parameter_layout.hpp"

namespace tempera {

/// Logarithms of the two parts of a density: π_β(u) ∝ exp(reference + β likelihood).
struct LogDensity {
  double reference = 0;
  double likelihood = 0;
};

/// A density on unconstrained space, the same value for the same point always. One object a replica or thread (it may
/// hold scratch); evaluate() allocates nothing. What an author writes by hand on the constrained side is a Model
/// (model.hpp).
///
/// A class that overrides evaluate() says `using Target::evaluate;` to keep the short form.
class Target {
 public:
  virtual ~Target() = default;

  /// The constrained side, in the order of θ.
  const std::vector<ParameterBlock>& parameters() const { return layout_.blocks(); }
  /// Entries of u.
  Index dimension() const { return layout_.dimension(); }
  /// Entries of θ.
  Index constrained_size() const { return layout_.constrained_size(); }

  /// reference = log prior (normalised if normalised_reference()) + log |Jacobian|; likelihood = the rest, all constants
  /// kept. −∞ is a point without mass; where the reference is −∞ the likelihood is 0 or −∞. NaN and +∞ are for the
  /// sampler to refuse.
  /// @param u                    dimension() entries
  /// @param reference_gradient   ∂ reference/∂u, overwritten; empty: not wanted
  /// @param likelihood_gradient  ∂ likelihood/∂u, overwritten; empty: not wanted (both or none)
  /// @pre gradients are wanted only if has_gradient()
  virtual LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                              std::span<double> likelihood_gradient) = 0;
  LogDensity evaluate(std::span<const double> u) { return evaluate(u, {}, {}); }

  /// What a target promises; nothing unless it says so.
  virtual bool has_gradient() const { return false; }
  virtual bool samples_reference() const { return false; }
  /// The reference integrates to one over u, so that evidences are absolute.
  virtual bool normalised_reference() const { return false; }
  /// The first parameter for which the reference has infinite mass (flat on a line or half line, say): such a reference
  /// can neither be sampled nor normalised, and the log evidence has no meaning with it.
  virtual std::optional<std::string> improper_parameter() const { return std::nullopt; }
  /// An independent draw from the reference. @pre samples_reference()
  virtual void sample_reference(RandomStream& stream, std::span<double> u);

  /// Writes θ(u), constrained_size() entries.
  virtual void constrain(std::span<const double> u, std::span<double> theta) const;
  /// @throws Error{Category::input} naming the parameter if θ lies outside its support
  virtual void unconstrain(std::span<const double> theta, std::span<double> u) const;

  /// The same density with scratch of its own.
  virtual std::unique_ptr<Target> clone() const = 0;

 protected:
  /// @throws Error as ParameterLayout does
  explicit Target(std::vector<ParameterBlock> parameters) : layout_(std::move(parameters)) {}
  Target(const Target&) = default;
  Target& operator=(const Target&) = default;

  const ParameterLayout& layout() const { return layout_; }

 private:
  ParameterLayout layout_;
};

}  // namespace tempera
