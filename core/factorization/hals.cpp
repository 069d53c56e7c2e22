#include "core/factorization/hals.hpp"

#include <algorithm>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

/// One pass over the columns of a row; returns the sum of squared changes weighted by the curvature h_rr.
double sweep_row(const GramMatrix& h, const double* m, double* u) {
  double change = 0;
  const Index rank = h.rank;
  for (Index r = 0; r < rank; ++r) {
    const double curvature = h(r, r);
    if (curvature <= 0) continue;
    const double* column = h.values.data() + r * rank;
    double product = 0;
    for (Index s = 0; s < rank; ++s) product += u[s] * column[s];
    const double updated = std::max(0.0, u[r] + (m[r] - product) / curvature);
    change += curvature * (updated - u[r]) * (updated - u[r]);
    u[r] = updated;
  }
  return change;
}

}  // namespace

void hals_update(const GramMatrix& h, const FactorMatrix& m, FactorMatrix& u, Index first, Index count) {
  TEMPERA_EXPECTS(m.columns() == h.rank && u.columns() == h.rank);
  constexpr double kNegligible = 1e-4;  // squared: 1 % of the first pass
  for (Index i = first; i < first + count; ++i) {
    const double start = sweep_row(h, m.row(i), u.row(i));
    for (int pass = 1; pass < kHalsPasses; ++pass)
      if (sweep_row(h, m.row(i), u.row(i)) <= kNegligible * start) break;
  }
}

}  // namespace tempera
