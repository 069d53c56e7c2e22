#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bayesopt/space.hpp"
#include "core/sampling/named_settings.hpp"

namespace tempera {

struct ObjectiveDescription {
  std::string name;
  std::string summary;
  std::vector<NamedSetting> settings;
};

/// All built-in objectives, in the order in which help lists them.
std::vector<ObjectiveDescription> describe_objectives();

/// A test function on its usual box, to be minimised, whose optimum is known. Its parameters are x1, x2, … Copyable;
/// all calls are thread-safe.
///
/// Settings: `noise` adds a normal error of this standard deviation; `dim` where the dimension is free; `integers` where the
/// optimum lies at whole numbers makes the first coordinates integers, between the bounds rounded inwards.
class TestObjective {
 public:
  /// @param settings  "key=value" each; what is not given keeps its default
  /// @throws Error{Category::usage} for an unknown name or key, with the nearest known one, for a key given twice, and for a
  ///         value of the wrong kind or out of range
  explicit TestObjective(std::string_view name, std::span<const std::string> settings = {});

  const std::string& name() const { return name_; }
  const Space& space() const { return space_; }

  /// Without noise.
  double exact(std::span<const double> point) const;
  /// With noise, which depends on the seed and the number of the trial only.
  double evaluate(std::span<const double> point, std::uint64_t seed, Index trial) const;
  double noise() const { return noise_; }

  /// The least value without noise, to a relative 1e-14.
  double optimum() const { return optimum_; }
  /// Coordinates of a point that has it.
  const std::vector<double>& optimum_at() const { return optimum_at_; }

 private:
  std::string name_;
  Space space_;
  double noise_ = 0;
  double optimum_ = 0;
  std::vector<double> optimum_at_;
  double (*function_)(std::span<const double>) = nullptr;
};

}  // namespace tempera
