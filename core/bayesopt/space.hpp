#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/index.hpp"
#include "core/bayesopt/expression.hpp"
#include "core/bayesopt/space_scale.hpp"

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
  double low = 0, high = 1;                  ///< real and integer, closed, natural units
  bool log_scale = false;                    ///< real and integer
  std::vector<nlohmann::json> choices = {};  ///< ordinal (in order), categorical
  Condition when = {};
  nlohmann::json initial = nullptr;  ///< a value to begin with; null: none
  std::string unit = {};
  std::optional<std::int64_t> whole_low =
      {};  ///< integer: the bounds if a double does not hold them; absent: low, high
  std::optional<std::int64_t> whole_high = {};

  /// Values it can take; 0: a continuum.
  Index cells() const;
  /// Integer: the bounds. @pre the parameter was accepted by a Space
  std::int64_t lowest() const { return whole_low.value_or(static_cast<std::int64_t>(low)); }
  std::int64_t highest() const { return whole_high.value_or(static_cast<std::int64_t>(high)); }
};

/// What is wrong with a space, and with which part of it.
class SpaceError : public Error {
 public:
  SpaceError(std::optional<Index> parameter, std::optional<Index> constraint, std::string key,
             std::string what_is_wrong, std::string hint)
      : Error(Category::input, "", std::move(what_is_wrong), std::move(hint)),
        parameter_(parameter),
        constraint_(constraint),
        key_(std::move(key)) {}
  std::optional<Index> parameter() const { return parameter_; }
  std::optional<Index> constraint() const { return constraint_; }
  /// What a space file calls the property that is wrong: "low", "choices", "when", …
  const std::string& key() const { return key_; }

 private:
  std::optional<Index> parameter_, constraint_;
  std::string key_;
};

/// The points that may be tried, and their encoding as features for a model of Euclidean distances: real, integer and
/// ordinal parameters as one feature in [0, 1] (an integer's is the position of its value, so that the model is constant
/// within a cell), booleans 0 or 1, categories by one feature a choice of which one is 1/√2; a conditional parameter has
/// one more feature, ½ if it is active. Features of an inactive parameter are ½ (0 for categories).
class Space {
 public:
  /// @param constraints  expressions in the names of the parameters, true where a point may be tried
  /// @throws SpaceError naming the parameter: no name or one twice, empty or inverted bounds, log scale with low ≤ 0,
  /// not finite, integers of more than 2^53 values, no choices or one twice, unknown parent, a cycle of parents, an unknown
  /// value of the parent, an initial value outside; or what is wrong with an expression
  Space(std::vector<Parameter> parameters, std::vector<std::string> constraints = {});

  const std::vector<Parameter>& parameters() const { return parameters_; }
  Index size() const { return std::ssize(parameters_); }
  Index features() const { return std::ssize(parameter_of_feature_); }
  /// Number of the parameter that a feature belongs to: features of one parameter share a length scale.
  std::span<const Index> parameter_of_feature() const { return parameter_of_feature_; }
  Index first_feature(Index parameter) const { return first_feature_[static_cast<std::size_t>(parameter)]; }

  /// @param features  features() entries, overwritten
  void encode(std::span<const double> point, std::span<double> features) const;
  /// The point under uniform coordinates in [0, 1): each cell is as large as the others of its parameter, except that
  /// integers on a log scale have cells from k − ½ to k + ½ on that scale. Values are rounded as by repaired().
  Point from_unit(std::span<const double> unit) const;
  /// Positions within [0, 1], numbers of cells that exist; NaN where a parent says so, else the middle instead of NaN.
  /// Natural values are rounded to about 12 digits of the range (of themselves on a log scale): such a point comes back
  /// from its JSON to the last bit.
  Point repaired(Point point) const;
  /// The initial values, the middle for active parameters without one; nothing if no parameter has one.
  std::optional<Point> initial_point() const;
  /// A further known constraint in C++: whether a point (repaired) may be tried. It is not part of the description.
  void restrict(std::function<bool(std::span<const double> point)> allowed) { allowed_ = std::move(allowed); }
  /// Expressions that must be true.
  const std::vector<Expression>& constraints() const { return constraints_; }
  /// Whether the known constraints hold. A constraint on an inactive parameter holds.
  bool feasible(std::span<const double> point) const;
  /// Whether one of them holds.
  bool feasible(std::span<const double> point, Index constraint) const;
  /// Whether two points have the same cells, and real positions that differ by 1e-9 at most.
  bool same(std::span<const double> a, std::span<const double> b) const;

  /// The natural value of a parameter's entry as a number: of choices that are not all numbers the cell, of booleans 0 or 1.
  double number(Index parameter, double entry) const;
  /// Active parameters with their natural values, in order. Integers are exact.
  nlohmann::ordered_json to_json(std::span<const double> point) const;
  /// @throws Error{input} naming the parameter: missing, unknown, inactive, outside its bounds or of another type
  Point from_json(const nlohmann::json& values) const;
  /// The natural values of a point of another space: those of parameters that this one does not know, or that are not
  /// active here, are ignored; what is missing is its initial value, else the middle.
  /// @param culprit  gets the parameter that a value is of another type than, or not within the bounds or choices of
  /// @return absent if there is such a one
  std::optional<Point> adopt(const nlohmann::json& values, Index& culprit) const;
  /// All that makes a space what it is, for journals and comparisons.
  nlohmann::ordered_json description() const;
  /// The space that was described. @throws nlohmann::json::exception or SpaceError if that is no description
  static Space from_description(const nlohmann::ordered_json& description);

 private:
  /// The parent of a conditional parameter, and the cells of it that activate the parameter.
  struct Activation {
    Index parent = -1;  ///< −1: always active
    std::vector<double> cells;
  };

  void check_parameter(Index i);
  void check_names() const;
  void check_condition(Index i);
  void order_by_parents();
  void check_initial(Index i) const;
  void add_features();
  void add_constraint(Index i, std::string text);
  [[noreturn]] void refuse(Index parameter, const std::string& key, const std::string& what_is_wrong,
                           const std::string& hint = {}) const;
  const Parameter& at(Index i) const { return parameters_[static_cast<std::size_t>(i)]; }

  bool active(Index parameter, std::span<const double> point) const;
  /// The cell or position of a natural value. @throws Error{input} naming the parameter
  double entry_of(Index parameter, const nlohmann::json& value) const;
  nlohmann::json value_of(Index parameter, double entry) const;

  std::function<bool(std::span<const double>)> allowed_;
  std::vector<Parameter> parameters_;
  std::vector<SpaceScale> scales_;  ///< of real and integer parameters; the others' are not used
  std::vector<Activation> activations_;
  std::vector<Index> order_;  ///< parents before children
  std::vector<Index> parameter_of_feature_;
  std::vector<Index> first_feature_;
  std::vector<ExpressionName::Kind> kinds_;  ///< of the parameters in expressions
  std::vector<Expression> constraints_;
};

/// As a space file names it: "real".
std::string_view parameter_type_name(ParameterType type);

}  // namespace tempera
