#include "core/factorization/normal_equations.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/factorization/detail/row_kernels.hpp"

namespace tempera {

namespace {
constexpr double kSmallestReciprocalCondition = 1e-12;

/// Lower bound of 1 / (norm · ‖H⁻¹‖₁) for H = RᵀR (n × n, R the upper triangle of `factor`, column-major): entry by entry
/// |R⁻¹| ≤ M(R)⁻¹ with the comparison matrix M, |R| on the diagonal and −|R| above it, so ‖H⁻¹‖ ≤ ‖M⁻¹ M⁻ᵀ e‖_∞ (Higham
/// 2002, §8.2 and §14). A few times n² operations, where LAPACK's estimate has a dozen calls of BLAS.
double least_reciprocal_condition(const std::vector<double>& factor, Index n, double norm) {
  std::vector<double> x(static_cast<std::size_t>(n), 1.0);
  for (Index j = 0; j < n; ++j) {  // Mᵀ x = e
    const double* column = factor.data() + j * n;
    double& entry = x[static_cast<std::size_t>(j)];
    for (Index i = 0; i < j; ++i) entry += std::abs(column[i]) * x[static_cast<std::size_t>(i)];
    entry /= column[j];
  }
  double largest = 0;
  for (Index j = n - 1; j >= 0; --j) {  // M x = x
    const double* column = factor.data() + j * n;
    const double entry = x[static_cast<std::size_t>(j)] /= column[j];
    largest = std::max(largest, entry);
    for (Index i = 0; i < j; ++i) x[static_cast<std::size_t>(i)] += std::abs(column[i]) * entry;
  }
  return 1 / (norm * largest);
}

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
  if (factorize(h, 0) && reciprocal_condition_ >= kSmallestReciprocalCondition) {
    pack_triangle();
    return;
  }
  const double undamped_condition = reciprocal_condition_;
  for (double tau : {1e-12, 1e-11, 1e-10}) {
    damping_ = tau * trace / static_cast<double>(rank_);
    if (factorize(h, damping_) && reciprocal_condition_ >= 0.1 * kSmallestReciprocalCondition) {
      method_ = Method::damped_cholesky;
      reciprocal_condition_ = undamped_condition;
      pack_triangle();
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
  // LAPACK's estimate is never below the bound: where that is clear of what counts, it could not decide otherwise.
  reciprocal_condition_ = least_reciprocal_condition(matrix_, rank_, norm);
  if (reciprocal_condition_ >= 2 * kSmallestReciprocalCondition) return true;
  return LAPACKE_dpocon(LAPACK_COL_MAJOR, 'U', n, matrix_.data(), n, norm, &reciprocal_condition_) == 0;
}

void NormalEquations::pack_triangle() {
  constexpr Index kBlock = detail::kSolveBlock;
  const Index size = (rank_ + kBlock - 1) / kBlock * kBlock;
  const auto factor = [&](Index i, Index j) {
    return i <= j && j < rank_ ? matrix_[static_cast<std::size_t>(j * rank_ + i)] : 0.0;
  };
  forward_.reserve(static_cast<std::size_t>(size * (size + kBlock) / 2));
  backward_.reserve(forward_.capacity());
  for (Index block = 0; block < size; block += kBlock) {
    for (Index k = 0; k < block + kBlock; ++k)
      for (Index b = block; b < block + kBlock; ++b) forward_.push_back(factor(k, b));
    for (Index k = block; k < size; ++k)
      for (Index b = block; b < block + kBlock; ++b) backward_.push_back(factor(b, k));
  }
  for (Index k = 0; k < size; ++k) reciprocals_.push_back(k < rank_ ? 1 / factor(k, k) : 1.0);
}

void NormalEquations::solve(const FactorMatrix& product, FactorMatrix& rows, Index first, Index count) const {
  TEMPERA_EXPECTS(rows.columns() == rank_ && product.stride() == rows.stride() && first >= 0 &&
                  first + count <= rows.rows() && first + count <= product.rows());
  if (count == 0) return;
  const auto n = static_cast<int>(rank_), stride = static_cast<int>(rows.stride());
  const double* from = product.row(first);
  double* to = rows.row(first);
  switch (method_) {
    case Method::cholesky:
    case Method::damped_cholesky: {
      const detail::PackedTriangle triangle{std::ssize(reciprocals_), forward_.data(), backward_.data(),
                                            reciprocals_.data()};
      FactorMatrix scratch(triangle.size, 8);
      detail::row_kernels().solve_rows(triangle, from, to, stride, count, scratch.data());
      break;
    }
    case Method::pseudo_inverse: {
      std::vector<double> copy;
      for (Index start = 0; start < count; start += kRowTile) {
        const auto tile = static_cast<int>(std::min(kRowTile, count - start));
        copy.assign(from + start * stride, from + (start + tile) * stride);
        cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, n, tile, n, 1.0, matrix_.data(), n, copy.data(), stride,
                    0.0, to + start * stride, stride);
      }
      break;
    }
    case Method::zero: std::fill(to, to + count * stride, 0.0); break;
  }
}

}  // namespace tempera
