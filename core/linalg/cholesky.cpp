#include "core/linalg/cholesky.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <cmath>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

void solve(const ConstLowerTriangle& l, Eigen::Ref<Eigen::MatrixXd> b, CBLAS_TRANSPOSE transposed) {
  TEMPERA_EXPECTS(l.rows() == l.cols() && b.rows() == l.rows());
  if (b.size() == 0) return;
  cblas_dtrsm(CblasColMajor, CblasLeft, CblasLower, transposed, CblasNonUnit, static_cast<int>(b.rows()),
              static_cast<int>(b.cols()), 1.0, l.data(), static_cast<int>(l.outerStride()), b.data(),
              static_cast<int>(b.outerStride()));
}

}  // namespace

Eigen::Index cholesky(LowerTriangle a) {
  TEMPERA_EXPECTS(a.rows() == a.cols());
  if (a.rows() == 0) return -1;
  const auto n = static_cast<lapack_int>(a.rows());
  return LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', n, a.data(), static_cast<lapack_int>(a.outerStride())) - 1;
}

void invert_cholesky(LowerTriangle l) {
  if (l.rows() == 0) return;
  const auto n = static_cast<lapack_int>(l.rows());
  [[maybe_unused]] const lapack_int info =
      LAPACKE_dpotri_work(LAPACK_COL_MAJOR, 'L', n, l.data(), static_cast<lapack_int>(l.outerStride()));
  TEMPERA_EXPECTS(info == 0);
}

void solve_lower(const ConstLowerTriangle& l, Eigen::Ref<Eigen::MatrixXd> b) {
  solve(l, b, CblasNoTrans);
}

void solve_lower_transposed(const ConstLowerTriangle& l, Eigen::Ref<Eigen::MatrixXd> b) {
  solve(l, b, CblasTrans);
}

double log_determinant(const ConstLowerTriangle& l) {
  double sum = 0;
  for (Eigen::Index i = 0; i < l.rows(); ++i) sum += std::log(l(i, i));
  return 2 * sum;
}

}  // namespace tempera
