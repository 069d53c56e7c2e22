#pragma once

#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// What is asked of the entries of one factor matrix U: sets it must lie in, and penalties that are added to the sum of
/// squared residuals. The default asks nothing.
///
/// The fit minimises ‖X − M‖² + Σ over modes (l1 ‖U‖₁ + ridge ‖U‖² + smooth ‖DU‖²), D the second differences down each
/// column, over the factors that satisfy the constraints of all modes.
struct Constraint {
  enum class Shape { any, monotone, unimodal };  ///< of each column
  enum class Simplex { none, rows, columns };    ///< these are nonnegative and sum to 1

  double l1 = 0;
  double ridge = 0;
  double smooth = 0;
  double lower = -std::numeric_limits<double>::infinity();  ///< of every entry; 0: nonnegative
  double upper = std::numeric_limits<double>::infinity();
  Shape shape = Shape::any;
  Simplex simplex = Simplex::none;
  bool orthogonal = false;    ///< UᵀU = I
  bool norm_bounded = false;  ///< ‖column‖₂ ≤ 1

  static const Constraint none;
  static const Constraint nonnegative;

  bool operator==(const Constraint&) const = default;

  bool penalised() const { return l1 > 0 || ridge > 0 || smooth > 0; }
  bool has_box() const {
    return lower > -std::numeric_limits<double>::infinity() ? lower != 0 || upper_bounded() : upper_bounded();
  }
  bool upper_bounded() const { return upper < std::numeric_limits<double>::infinity(); }
  bool is_nonnegative() const { return lower >= 0 || simplex != Simplex::none; }
  /// Every positive multiple of an allowed column is allowed and costs the same: columns may be kept at unit length.
  bool is_cone() const {
    return !penalised() && !has_box() && simplex == Simplex::none && !orthogonal && !norm_bounded;
  }
  /// −U is allowed wherever U is, and costs the same, column by column.
  bool is_sign_free() const { return lower == -upper && shape == Shape::any && simplex == Simplex::none; }
  /// Entries of different rows depend on each other beyond their common Gram matrix.
  bool couples_rows() const { return smooth > 0 || shape != Shape::any || simplex == Simplex::columns || norm_bounded; }
  /// Solved without iterating: no constraint at all but ridge.
  bool is_least_squares() const { return without_ridge() == Constraint(); }
  /// Nonnegative, perhaps with penalties that leave the problem a quadratic one on each row.
  bool is_nonnegative_least_squares() const;
  /// A row of which the data say nothing may not simply be zero.
  bool fills_empty_rows() const {
    return smooth > 0 || shape != Shape::any || simplex != Simplex::none || orthogonal || lower > 0 || upper < 0;
  }

  Constraint without_ridge() const {
    Constraint rest = *this;
    rest.ridge = 0;
    return rest;
  }
  /// The set alone.
  Constraint without_penalties() const {
    Constraint rest = *this;
    rest.l1 = rest.ridge = rest.smooth = 0;
    return rest;
  }
};

inline constexpr Constraint Constraint::none{};
inline constexpr Constraint Constraint::nonnegative{.lower = 0};

/// Why these cannot hold together or have no meaning together; nothing if all is well.
std::optional<std::string> contradiction(const Constraint& constraint);
/// The same for a factor of this size.
std::optional<std::string> contradiction(const Constraint& constraint, Index rows, Index rank);

/// Penalties mean nothing while another mode can grow for nothing: scale U down, that mode up, and the model stays. So
/// where any mode is penalised, the columns of every mode that could grow get ‖column‖ ≤ 1. Returns the modes changed.
std::vector<int> bound_free_modes(std::vector<Constraint>& constraints);

/// Where the scale of the components lives.
enum class ComponentScale {
  free,    ///< some mode is a cone: its columns have unit length after its update, the weights hold the rest
  fitted,  ///< no mode can hold it, all are orthogonal or simplices: the weights are fitted after each mode
  held     ///< the factors hold it, weights are 1: some mode is penalised, or all are bounded
};
ComponentScale scale_of(std::span<const Constraint> constraints);

/// How one mode's subproblem is solved. automatic: HALS for nonnegative modes, closed forms where there are some, ADMM
/// for the rest; hals and bpp concern nonnegative modes, admm all but the closed forms.
enum class Solver { automatic, hals, bpp, admm };

/// One constraint as people write it: NAME[:NUMBER,…][@MODE,…].
struct ConstraintText {
  Constraint constraint;
  std::vector<int> modes;  ///< empty: all
};

/// "nonnegative", "l1:0.1@0,2", "box:0,1@1". Names: nonnegative, l1, ridge, smooth, row-simplex, column-simplex,
/// orthogonal, unimodal, monotone, box, norm.
/// @throws Error{usage} for an unknown name (with the nearest one), parameters that are missing, too many or impossible,
///         and modes that are no numbers
ConstraintText parse_constraint(const std::string& text);
/// Each constraint as it may be written, "l1:0.1".
std::vector<std::string> constraint_examples();
/// One constraint a mode; several texts about a mode are combined.
/// @throws Error{usage} also for a mode outside the tensor, a parameter given twice and combinations that contradict
std::vector<Constraint> parse_constraints(std::span<const std::string> texts, int order);
/// The texts whose combination is the constraint, without modes; "unconstrained" if there is none.
std::string to_text(const Constraint& constraint);

}  // namespace tempera
