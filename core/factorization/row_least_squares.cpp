#include "core/factorization/row_least_squares.hpp"

#include <algorithm>

#include "core/base/contract.hpp"
#include "core/factorization/admm.hpp"
#include "core/factorization/bpp.hpp"

namespace tempera {

RowLeastSquares::RowLeastSquares(Index rank, const Constraint& constraint, Solver solver)
    : constraint_(constraint),
      method_(constraint.is_least_squares()                                         ? Method::least_squares
              : constraint.is_nonnegative_least_squares() && solver != Solver::admm ? Method::pivoting
                                                                                    : Method::admm),
      h_(rank),
      m_(1, rank),
      u_(1, rank),
      dual_(1, rank) {
  TEMPERA_EXPECTS(!why_not(constraint, solver));
}

std::optional<std::string> RowLeastSquares::why_not(const Constraint& constraint, Solver solver) {
  if (constraint.orthogonal || constraint.couples_rows())
    return "the rows of a mode are fitted one by one to their observed cells, and this constraint couples them";
  if (constraint.fills_empty_rows()) return "rows without an observed cell are zero, and it does not allow these";
  if (solver == Solver::hals) return "hals shares one Gram matrix among all rows, and here each row has its own";
  return std::nullopt;
}

/// Sets H and m; false where H is zero.
bool RowLeastSquares::load(std::span<const double> moments, std::span<const double> weights) {
  const auto rank = static_cast<std::size_t>(h_.rank);
  const auto weight = [&](std::size_t r) { return weights.empty() ? 1.0 : weights[r]; };
  const double* packed = moments.data() + rank;
  double trace = 0;
  for (std::size_t r = 0; r < rank; ++r) {
    for (std::size_t s = 0; s <= r; ++s) {
      const double value = *packed++ * weight(r) * weight(s);
      h_.values[r * rank + s] = h_.values[s * rank + r] = value;
    }
    trace += h_.values[r * rank + r];
    h_.values[r * rank + r] += constraint_.ridge;
    m_.row(0)[r] = moments[r] * weight(r);
  }
  return trace > 0;
}

void RowLeastSquares::solve(std::span<const double> moments, std::span<const double> weights, std::span<double> row,
                            std::span<double> dual) {
  TEMPERA_EXPECTS(std::ssize(row) == h_.rank && std::ssize(moments) == h_.rank * (h_.rank + 3) / 2);
  solved_by_ = NormalEquations::Method::cholesky;
  if (!load(moments, weights)) {
    std::fill(row.begin(), row.end(), 0.0);
    return;
  }
  std::copy(row.begin(), row.end(), u_.row(0));
  switch (method_) {
    case Method::least_squares: {
      const NormalEquations equations(h_);
      solved_by_ = equations.method();
      std::copy_n(m_.row(0), h_.rank, u_.row(0));
      equations.solve(u_, 0, 1);
      break;
    }
    case Method::pivoting:
      for (Index r = 0; r < h_.rank; ++r) m_(0, r) -= 0.5 * constraint_.l1;  // linear on nonnegative entries
      bpp_update(h_, m_, u_, 0, 1);
      break;
    case Method::admm:
      std::copy(dual.begin(), dual.end(), dual_.row(0));
      admm_rows(h_, m_, constraint_, u_, dual_);
      std::copy_n(dual_.row(0), h_.rank, dual.begin());
      break;
  }
  std::copy_n(u_.row(0), h_.rank, row.begin());
}

}  // namespace tempera
