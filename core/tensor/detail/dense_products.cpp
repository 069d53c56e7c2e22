#include "core/tensor/detail/dense_products.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include "core/base/contract.hpp"
#include "core/base/simd.hpp"
#include "core/tensor/detail/dense_kernels.hpp"
#include "core/tensor/factor_matrix.hpp"

namespace tempera::detail {

namespace {

constexpr Index kBlockDoubles = Index{1} << 15;  // of Khatri–Rao rows at a time: they stay in the second cache
constexpr Index kThreadCells = Index{1} << 15;   // multiply-adds that are worth a thread

struct Kernels {
  TallProductKernel tall_product;
  SumLeftKernel sum_left;
  SumRightKernel sum_right;
  ScaleRowsKernel scale_rows;
};

Kernels kernels() {
#if defined(__x86_64__)
  switch (simd_level()) {
    case SimdLevel::avx512:
      return {simd::avx512::tall_product, simd::avx512::sum_left, simd::avx512::sum_right, simd::avx512::scale_rows};
    case SimdLevel::avx2:
      return {simd::avx2::tall_product, simd::avx2::sum_left, simd::avx2::sum_right, simd::avx2::scale_rows};
    case SimdLevel::baseline: break;
  }
#endif
  return {simd::baseline::tall_product, simd::baseline::sum_left, simd::baseline::sum_right,
          simd::baseline::scale_rows};
}

Index product_of_rows(std::span<const RowView> matrices) {
  Index rows = 1;
  for (const RowView& matrix : matrices) rows *= matrix.rows;
  return rows;
}

/// Hands out the rows of a Khatri–Rao product block by block. Those of one matrix need no copy.
class KhatriRaoBlocks {
 public:
  KhatriRaoBlocks(const Kernels& kernels, std::span<const RowView> matrices, Index stride)
      : kernels_(kernels), matrices_(matrices), stride_(stride), rows_(product_of_rows(matrices)) {
    const bool in_place = matrices.size() == 1 && matrices.front().stride == stride;
    block_ = in_place ? rows_ : std::clamp<Index>(kBlockDoubles / stride, 1, std::max<Index>(rows_, 1));
    if (!in_place) rows_here_ = FactorMatrix(block_, stride);
    slow_.resize(static_cast<std::size_t>(matrices.front().stride));
  }

  Index rows() const { return rows_; }
  Index block() const { return block_; }

  const double* at(Index first, Index count) {
    if (rows_here_.rows() == 0) return matrices_.front().data + first * stride_;
    const RowView fast = matrices_.front();
    const Index columns = std::min(fast.stride, stride_);
    for (Index done = 0; done < count;) {
      const Index i = (first + done) % fast.rows, run = std::min(fast.rows - i, count - done);
      slow_row((first + done) / fast.rows, columns);
      kernels_.scale_rows(fast.data + i * fast.stride, fast.stride, run, columns, slow_.data(), rows_here_.row(done),
                          rows_here_.stride());
      done += run;
    }
    return rows_here_.data();
  }

 private:
  void slow_row(Index rest, Index columns) {
    std::fill(slow_.begin(), slow_.end(), 1.0);
    for (std::size_t m = 1; m < matrices_.size(); ++m) {
      const double* row = matrices_[m].data + rest % matrices_[m].rows * matrices_[m].stride;
      rest /= matrices_[m].rows;
      for (Index r = 0; r < columns; ++r) slow_[static_cast<std::size_t>(r)] *= row[r];
    }
  }

  const Kernels& kernels_;
  std::span<const RowView> matrices_;
  Index stride_, rows_, block_ = 0;
  FactorMatrix rows_here_;
  std::vector<double> slow_;
};

/// Calls body(begin, end) for equal parts of the rows, one a thread.
template <class Body>
void in_parts(Index rows, Index work_a_row, int threads, const Body& body) {
  const Index useful = std::clamp<Index>(rows * work_a_row / kThreadCells, 1, threads);
  const int parts = static_cast<int>(std::min(useful, std::max<Index>(rows, 1)));
  if (parts == 1) return body(Index{0}, rows);
#pragma omp parallel for num_threads(parts) schedule(static, 1)
  for (int part = 0; part < parts; ++part) body(rows * part / parts, rows * (part + 1) / parts);
}

Index kernel_stride(Index stride) {
  return (stride + kKernelColumns - 1) / kKernelColumns * kKernelColumns;
}

}  // namespace

Index product(std::span<const Index> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), Index{1}, std::multiplies<>());
}

std::vector<RowView> row_views(std::span<const FactorMatrix> factors) {
  std::vector<RowView> result;
  for (const auto& factor : factors)
    result.push_back({factor.data(), factor.rows(), factor.columns(), factor.stride()});
  return result;
}

void contract_right(const CellMatrix& cells, std::span<const RowView> matrices, double* result, Index stride,
                    int threads) {
  const Kernels use = kernels();
  KhatriRaoBlocks krp(use, matrices, kernel_stride(stride));
  TEMPERA_EXPECTS(krp.rows() == cells.right);
  for (Index first = 0; first < krp.rows(); first += krp.block()) {
    const Index count = std::min(krp.block(), krp.rows() - first);
    const double* k = krp.at(first, count);
    in_parts(cells.left, count * stride, threads, [&](Index begin, Index end) {
      use.tall_product({cells.x + begin + first * cells.step, 1, cells.step, end - begin, count, k,
                        kernel_stride(stride), result + begin * stride, stride, first > 0});
    });
  }
}

void contract_left(const CellMatrix& cells, std::span<const RowView> matrices, double* result, Index stride,
                   int threads) {
  const Kernels use = kernels();
  KhatriRaoBlocks krp(use, matrices, kernel_stride(stride));
  TEMPERA_EXPECTS(krp.rows() == cells.left);
  for (Index first = 0; first < krp.rows(); first += krp.block()) {
    const Index count = std::min(krp.block(), krp.rows() - first);
    const double* k = krp.at(first, count);
    in_parts(cells.right, count * stride, threads, [&](Index begin, Index end) {
      use.tall_product({cells.x + first + begin * cells.step, cells.step, 1, end - begin, count, k,
                        kernel_stride(stride), result + begin * stride, stride, first > 0});
    });
  }
}

void contract_right(const PartialMatrix& partial, std::span<const RowView> matrices, double* result, Index stride,
                    int threads) {
  const Kernels use = kernels();
  KhatriRaoBlocks krp(use, matrices, stride);
  TEMPERA_EXPECTS(partial.first + partial.right <= krp.rows());
  for (Index first = 0; first < partial.right; first += krp.block()) {
    const Index count = std::min(krp.block(), partial.right - first);
    const double* k = krp.at(partial.first + first, count);
    in_parts(partial.left, count * stride, threads, [&](Index begin, Index end) {
      use.sum_right({partial.x + (begin + first * partial.left) * stride, end - begin, count, partial.left, k,
                     result + begin * stride, stride, partial.first + first > 0});
    });
  }
}

void contract_left(const PartialMatrix& partial, std::span<const RowView> matrices, double* result, Index stride,
                   int threads) {
  const Kernels use = kernels();
  KhatriRaoBlocks krp(use, matrices, stride);
  TEMPERA_EXPECTS(krp.rows() == partial.left);
  for (Index first = 0; first < krp.rows(); first += krp.block()) {
    const Index count = std::min(krp.block(), krp.rows() - first);
    const double* k = krp.at(first, count);
    in_parts(partial.right, count * stride, threads, [&](Index begin, Index end) {
      use.sum_left({partial.x + (first + begin * partial.left) * stride, count, end - begin, partial.left, k,
                    result + begin * stride, stride, first > 0});
    });
  }
}

}  // namespace tempera::detail
