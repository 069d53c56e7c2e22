#pragma once

#include <span>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// One row b ≥ 0 of the Poisson CP model with the other modes fixed: minimise over b
///   f(b) = s·b − Σ x ln(π·b)   over the positive cells x of the row,
/// s the sums of π over all observed cells of the row. `phi` (Φ = Σ (x/m) π) and the packed lower triangle `hessian`
/// (Σ (x/m²) π πᵀ) belong to the current b; see count_products. All spans have one entry a component, the Hessian
/// rank (rank + 1) / 2.

/// Largest |min(b_r, s_r − Φ_r)|: 0 exactly where b satisfies the Karush–Kuhn–Tucker conditions.
double count_kkt(std::span<const double> b, std::span<const double> phi, std::span<const double> s);

/// Raises the entries that are zero or nearly so, measured by `scale` (the weight of the component), although the
/// likelihood rises with them (Φ > s): a multiplicative update could never move them. Where k entries are raised, each
/// gets (Φ − s) / (k Φ²), at most kInadmissibleShift times its scale; so f falls, by Σ x (π/m)² ≤ Φ² for counts x ≥ 1.
/// Returns whether there was one.
bool shift_inadmissible_zeros(std::span<double> b, std::span<const double> phi, std::span<const double> s,
                              std::span<const double> scale);
constexpr double kInadmissibleShift = 1e-2;  ///< κ of Chi & Kolda 2012
constexpr double kInadmissibleZero = 1e-10;  ///< κ_tol

/// Multiplicative update b_r ← b_r Φ_r / s_r, one step of the majorise–minimise method: f does not rise.
/// Chi & Kolda 2012, algorithm 3; Lee & Seung 1999.
void multiplicative_step(std::span<double> b, std::span<const double> phi, std::span<const double> s);

/// Newton steps of rows, one object a thread (it holds working memory).
///
/// First b is scaled by (Φ·b) / (s·b), the best multiple of itself: a Newton step alone could no more than double it.
/// The direction d = y − b then minimises the quadratic model g·d + ½ dᵀHd over y = b + d ≥ 0 (active set; Hansen,
/// Plantenga & Kolda 2015 take a projected Newton direction here). The step length needs no search through the data:
/// with δ = −g·d, λ² = dᵀHd and q the largest relative fall of a model value of the row,
///   f(b + t d) − f(b) ≤ −δ t + (λ²/q²) (−ln(1 − t q) − t q),
/// whose minimum is t = δ / (λ² + δ q). Both max_r (−d_r/b_r) ≤ 1 and, counts being at least 1, λ bound q. So t ≥ ½ for
/// the exact direction, t → 1 near the optimum (quadratic convergence, zeros are reached exactly), and f never rises.
/// Self-concordance: Tran-Dinh, Kyrillidis & Cevher 2015.
class CountNewton {
 public:
  explicit CountNewton(Index rank);
  /// Improves b by one step. Cost: O(rank³).
  void step(std::span<double> b, std::span<const double> phi, std::span<const double> hessian,
            std::span<const double> s);

 private:
  bool scale_row(std::span<double> b, std::span<const double> phi, std::span<const double> hessian,
                 std::span<const double> s);
  bool find_direction(std::span<const double> b, std::span<const double> s);
  void descend_coordinates();
  bool solve_free(std::span<double> z);
  bool polish();
  double& h(std::size_t i, std::size_t j) { return matrix_[i * rank_ + j]; }

  std::size_t rank_;
  std::vector<double> phi_;
  std::vector<double> matrix_;  ///< scaled Hessian, unit diagonal
  std::vector<double> scale_;   ///< 1 / √h_rr, 0 where h_rr = 0
  std::vector<double> linear_;  ///< scaled 2Φ − s
  std::vector<double> start_;   ///< scaled b
  std::vector<double> y_;       ///< scaled
  std::vector<double> candidate_;
  std::vector<double> free_matrix_;
  std::vector<std::size_t> free_;
};

}  // namespace tempera
