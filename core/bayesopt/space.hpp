#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

enum class ParameterType { real, integer, ordinal, categorical, boolean };

/// A point as it is worked with, an entry a parameter. Real: the position in [0, 1] between the bounds, on the log scale
/// where that is asked for. All others: the number of the cell, 0 … cells − 1. NaN: the parameter is not active.
using Point = std::vector<double>;

/// When a conditional parameter is active: its parent is active and has one of these values.
struct Condition {
  std::string parent;  ///< empty: always active
  std::vector<nlohmann::json> values;
};

struct Parameter {
  std::string name;
  ParameterType type = ParameterType::real;
  double low = 0, high = 1;             ///< real and integer, closed, natural units
  bool log_scale = false;               ///< real and integer
  std::vector<nlohmann::json> choices;  ///< ordinal (in order), categorical
  Condition when;
  nlohmann::json initial;  ///< a value to begin with; null: none
  std::string unit;

  /// Values it can take; 0: a continuum.
  Index cells() const;
};

/// The points that may be tried, and their encoding as features for a model of Euclidean distances: real, integer and
/// ordinal parameters as one feature in [0, 1] (an integer's is the position of its value, so that the model is constant
/// within a cell), booleans 0 or 1, categories by one feature a choice of which one is 1/√2; a conditional parameter has
/// one more feature, ½ if it is active. Features of an inactive parameter are ½ (0 for categories).
class Space {
 public:
  /// @param constraints  expressions in the names of the parameters, true where a point may be tried
  /// @throws Error{input} naming the parameter: no name or one twice, empty or inverted bounds, log scale with low ≤ 0,
  /// not finite, no choices or one twice, unknown parent, a cycle of parents, an unknown value of the parent, an initial
  /// value outside; or what is wrong with an expression
  Space(std::vector<Parameter> parameters, std::vector<std::string> constraints = {});

  const std::vector<Parameter>& parameters() const { return parameters_; }
  Index size() const { return std::ssize(parameters_); }
  Index features() const;
  /// Number of the parameter that a feature belongs to: features of one parameter share a length scale.
  std::span<const Index> parameter_of_feature() const;
  Index first_feature(Index parameter) const;

  /// @param features  features() entries, overwritten
  void encode(std::span<const double> point, std::span<double> features) const;
  /// The point under uniform coordinates in [0, 1): each cell is as large as the others of its parameter.
  Point from_unit(std::span<const double> unit) const;
  /// Positions within [0, 1], numbers of cells that exist; NaN where a parent says so, else the middle instead of NaN.
  Point repaired(Point point) const;
  /// Whether the known constraints hold. A constraint on an inactive parameter holds.
  bool feasible(std::span<const double> point) const;
  bool same(std::span<const double> a, std::span<const double> b) const;

  /// Active parameters with their natural values, in order. Integers are exact.
  nlohmann::ordered_json to_json(std::span<const double> point) const;
  /// @throws Error{input} naming the parameter: missing, unknown, inactive, outside its bounds or of another type
  Point from_json(const nlohmann::json& values) const;
  /// All that makes a space what it is, for journals and comparisons.
  nlohmann::ordered_json description() const;

 private:
  std::vector<Parameter> parameters_;
};

}  // namespace tempera
