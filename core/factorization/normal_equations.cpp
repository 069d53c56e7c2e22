#include "core/factorization/normal_equations.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {
constexpr double kSmallestReciprocalCondition = 1e-12;
constexpr Index kRowTile = 256;  // rows a call: the tile depends on nothing but this constant
}  // namespace

NormalEquations::NormalEquations(const GramMatrix& h) : rank_(h.rank) {
  if (!std::all_of(h.values.begin(), h.values.end(), [](double x) { return std::isfinite(x); }))
    throw Error(Category::numerical, "", "the normal equations of a mode are not finite",
                "the values overflow: scale the tensor, for example to unit maximum");
  double trace = 0;
  for (Index r = 0; r < rank_; ++r) trace += h(r, r);
  if (trace <= 0) {
    method_ = Method::zero;
    return;
  }
  if (factorize(h, 0) && reciprocal_condition_ >= kSmallestReciprocalCondition) return;
  const double undamped_condition = reciprocal_condition_;
  for (double tau : {1e-12, 1e-11, 1e-10}) {
    damping_ = tau * trace / static_cast<double>(rank_);
    if (factorize(h, damping_) && reciprocal_condition_ >= 0.1 * kSmallestReciprocalCondition) {
      method_ = Method::damped_cholesky;
      reciprocal_condition_ = undamped_condition;
      return;
    }
  }
  damping_ = 0;
  reciprocal_condition_ = undamped_condition;
  method_ = Method::pseudo_inverse;
  const auto n = static_cast<int>(rank_);
  std::vector<double> vectors = h.values, eigenvalues(static_cast<std::size_t>(n));
  if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', n, vectors.data(), n, eigenvalues.data()) != 0)
    throw Error(Category::numerical, "", "the eigendecomposition of the normal equations failed");
  std::vector<double> scaled(vectors.size(), 0.0);
  for (int j = 0; j < n; ++j) {
    const double value = eigenvalues[static_cast<std::size_t>(j)];
    if (value <= kSmallestReciprocalCondition * eigenvalues.back()) continue;
    for (int i = 0; i < n; ++i)
      scaled[static_cast<std::size_t>(j * n + i)] = vectors[static_cast<std::size_t>(j * n + i)] / value;
  }
  matrix_.resize(vectors.size());
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasTrans, n, n, n, 1.0, scaled.data(), n, vectors.data(), n, 0.0,
              matrix_.data(), n);
}

bool NormalEquations::factorize(const GramMatrix& h, double damping) {
  const auto n = static_cast<int>(rank_);
  matrix_ = h.values;
  double norm = 0;
  for (Index j = 0; j < rank_; ++j) {
    matrix_[static_cast<std::size_t>(j * rank_ + j)] += damping;
    double column = 0;
    for (Index i = 0; i < rank_; ++i) column += std::abs(matrix_[static_cast<std::size_t>(j * rank_ + i)]);
    norm = std::max(norm, column);
  }
  reciprocal_condition_ = 0;
  if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', n, matrix_.data(), n) != 0) return false;
  return LAPACKE_dpocon(LAPACK_COL_MAJOR, 'U', n, matrix_.data(), n, norm, &reciprocal_condition_) == 0;
}

void NormalEquations::solve(FactorMatrix& rows, Index first, Index count) const {
  TEMPERA_EXPECTS(rows.columns() == rank_ && first >= 0 && first + count <= rows.rows());
  const auto n = static_cast<int>(rank_), stride = static_cast<int>(rows.stride());
  std::vector<double> copy;
  for (Index start = first; start < first + count; start += kRowTile) {
    const auto tile = static_cast<int>(std::min(kRowTile, first + count - start));
    double* block = rows.row(start);  // row-major rows are the columns of Mᵀ: solve H Uᵀ = Mᵀ
    switch (method_) {
      case Method::cholesky:
      case Method::damped_cholesky:
        LAPACKE_dpotrs_work(LAPACK_COL_MAJOR, 'U', n, tile, matrix_.data(), n, block, stride);
        break;
      case Method::pseudo_inverse:
        copy.assign(block, block + static_cast<Index>(tile) * stride);
        cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, tile, n, 1.0, matrix_.data(), n, copy.data(), stride,
                    0.0, block, stride);
        break;
      case Method::zero: std::fill(block, block + static_cast<Index>(tile) * stride, 0.0); break;
    }
  }
}

}  // namespace tempera
