#include "core/tensor/factor_matrix.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/contract.hpp"
#include "core/base/large_memory.hpp"

namespace tempera {

void FactorMatrix::Free::operator()(double* pointer) const noexcept {
  free_large(pointer);
}

FactorMatrix::FactorMatrix(Index rows, Index columns)
    : rows_(rows), columns_(columns), stride_(padded_columns(columns)) {
  TEMPERA_EXPECTS(rows >= 0 && columns >= 0);
  capacity_ = rows_;
  const std::size_t bytes = static_cast<std::size_t>(rows_) * static_cast<std::size_t>(stride_) * sizeof(double);
  if (bytes == 0) return;
  void* memory = allocate_large(bytes);
  data_.reset(static_cast<double*>(memory));
  std::memset(memory, 0, bytes);
}

FactorMatrix::FactorMatrix(const FactorMatrix& other) : FactorMatrix(other.rows_, other.columns_) {
  std::copy(other.storage().begin(), other.storage().end(), storage().begin());
}

FactorMatrix& FactorMatrix::operator=(const FactorMatrix& other) {
  if (this != &other) *this = FactorMatrix(other);
  return *this;
}

FactorMatrix::FactorMatrix(FactorMatrix&& other) noexcept
    : rows_(std::exchange(other.rows_, 0)),
      columns_(std::exchange(other.columns_, 0)),
      stride_(std::exchange(other.stride_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      data_(std::move(other.data_)) {}

FactorMatrix& FactorMatrix::operator=(FactorMatrix&& other) noexcept {
  rows_ = std::exchange(other.rows_, 0);
  columns_ = std::exchange(other.columns_, 0);
  stride_ = std::exchange(other.stride_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  data_ = std::move(other.data_);
  return *this;
}

void FactorMatrix::set_rows(Index rows) {
  TEMPERA_EXPECTS(rows >= 0 && rows <= capacity_);
  rows_ = rows;
}

void FactorMatrix::set_zero() {
  auto all = storage();
  std::fill(all.begin(), all.end(), 0.0);
}

}  // namespace tempera
