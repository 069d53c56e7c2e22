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

}  // namespace tempera
