#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// Factor matrix (rows × columns), row-major: a row is the unit of every sparse update.
///
/// Rows are padded to 1, 2, 4 or a multiple of 8 doubles (see padded_columns) and aligned accordingly. The padding is
/// always zero, so kernels run over whole vectors and never need a tail loop.
class FactorMatrix {
 public:
  FactorMatrix() = default;
  /// Zero matrix.
  FactorMatrix(Index rows, Index columns);
  FactorMatrix(const FactorMatrix& other);
  FactorMatrix& operator=(const FactorMatrix& other);
  FactorMatrix(FactorMatrix&& other) noexcept;
  FactorMatrix& operator=(FactorMatrix&& other) noexcept;
  ~FactorMatrix() = default;

  Index rows() const { return rows_; }
  Index columns() const { return columns_; }
  /// Distance between the starts of two rows, in doubles.
  Index stride() const { return stride_; }

  double* data() { return data_.get(); }
  const double* data() const { return data_.get(); }
  double* row(Index i) { return data_.get() + i * stride_; }
  const double* row(Index i) const { return data_.get() + i * stride_; }
  double& operator()(Index i, Index column) { return row(i)[column]; }
  double operator()(Index i, Index column) const { return row(i)[column]; }

  /// All doubles including the padding: rows × stride.
  std::span<double> storage() { return {data_.get(), static_cast<std::size_t>(rows_ * stride_)}; }
  std::span<const double> storage() const { return {data_.get(), static_cast<std::size_t>(rows_ * stride_)}; }

  void set_zero();
  /// Changes the number of rows to at most that of the construction; memory stays, contents are undefined afterwards.
  void set_rows(Index rows);

 private:
  struct Free {
    void operator()(double* pointer) const noexcept;
  };
  Index rows_ = 0;
  Index columns_ = 0;
  Index stride_ = 0;
  Index capacity_ = 0;  // rows
  std::unique_ptr<double[], Free> data_;
};

/// Row length in doubles of a factor matrix with this many columns: 0, 1, 2, 4 or the next multiple of 8.
constexpr Index padded_columns(Index columns) {
  if (columns <= 2) return columns;
  if (columns <= 4) return 4;
  return (columns + 7) / 8 * 8;
}

}  // namespace tempera
