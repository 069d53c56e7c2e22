#include "core/factorization/constraint.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tempera {

bool Constraint::is_nonnegative_least_squares() const {
  Constraint rest = *this;
  rest.ridge = rest.l1 = 0;
  return rest == nonnegative;
}

std::optional<std::string> contradiction(const Constraint& c) {
  const bool simplex = c.simplex != Constraint::Simplex::none;
  const bool shaped = c.shape != Constraint::Shape::any;
  if (c.orthogonal) {
    Constraint rest = c;
    rest.orthogonal = false;
    if (rest == Constraint::nonnegative)
      return "orthogonal goes with nothing else: of nonnegative columns only those that share no row are orthogonal, "
             "and "
             "no closed form finds them";
    if (rest.without_ridge() == Constraint() && rest.ridge > 0)
      return "orthogonal goes with nothing else: ridge is constant on columns of length 1, whatever it weighs";
    if (rest != Constraint()) return "orthogonal goes with nothing else: its closed form knows no other constraint";
  }
  if (c.lower > c.upper) return fmt::format("no entry is at least {:g} and at most {:g}", c.lower, c.upper);
  if (simplex && c.upper < 0) return "the entries of a simplex are nonnegative, and the box allows negative ones only";
  if (simplex && c.l1 > 0) return "l1 is constant on a simplex: the sums are 1 whatever it weighs";
  if (simplex && (shaped || c.norm_bounded || c.smooth > 0))
    return "a simplex goes with nonnegative, box and ridge only: there is no exact projection onto more";
  if (c.smooth > 0 && (shaped || c.norm_bounded || c.has_box()))
    return "smooth goes with nonnegative, l1 and ridge only: there is no exact projection onto more";
  if (c.norm_bounded && c.has_box()) return "norm goes with no box: there is no exact projection onto both";
  if (c.l1 > 0 && (shaped || c.smooth > 0) && !c.is_nonnegative())
    return "l1 goes with unimodal, monotone or smooth only where the entries are nonnegative: add nonnegative";
  return std::nullopt;
}

std::optional<std::string> contradiction(const Constraint& c, Index rows, Index rank) {
  if (auto reason = contradiction(c)) return reason;
  if (c.orthogonal && rank > rows)
    return fmt::format("{} columns of length {} cannot be orthogonal: the rank is above the size of the mode", rank,
                       rows);
  if (c.simplex == Constraint::Simplex::none) return std::nullopt;
  const bool by_rows = c.simplex == Constraint::Simplex::rows;
  const auto count = static_cast<double>(by_rows ? rank : rows);
  if (count * std::max(0.0, c.lower) > 1 || count * c.upper < 1)
    return fmt::format("{} entries between {:g} and {:g} cannot sum to 1, as each {} must", count,
                       std::max(0.0, c.lower), c.upper, by_rows ? "row" : "column");
  return std::nullopt;
}

std::vector<int> bound_free_modes(std::vector<Constraint>& constraints) {
  std::vector<int> changed;
  if (std::none_of(constraints.begin(), constraints.end(), [](const Constraint& c) { return c.penalised(); }))
    return changed;
  for (std::size_t mode = 0; mode < constraints.size(); ++mode) {
    if (!constraints[mode].is_cone()) continue;
    constraints[mode].norm_bounded = true;
    changed.push_back(static_cast<int>(mode));
  }
  return changed;
}

ComponentScale scale_of(std::span<const Constraint> constraints) {
  const auto is_cone = [](const Constraint& c) { return c.is_cone(); };
  const auto is_unit = [](const Constraint& c) {
    return !c.penalised() && (c.orthogonal || c.simplex != Constraint::Simplex::none);
  };
  if (std::any_of(constraints.begin(), constraints.end(), is_cone)) return ComponentScale::free;
  return std::all_of(constraints.begin(), constraints.end(), is_unit) ? ComponentScale::fitted : ComponentScale::held;
}

}  // namespace tempera
