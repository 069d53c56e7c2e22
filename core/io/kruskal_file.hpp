#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "core/tensor/factor_matrix.hpp"

namespace tempera {

/// A CP model in a file of KruskalWriter, of which any process reads the rows it needs. All calls are serial.
class KruskalFile {
 public:
  /// @throws Error{input} if it is no such file, a part is missing or sizes do not fit each other
  explicit KruskalFile(const std::filesystem::path& path);
  KruskalFile(KruskalFile&&) noexcept;
  ~KruskalFile();

  /// Sizes of the modes.
  const std::vector<Index>& shape() const;
  const std::vector<double>& weights() const;
  Index rank() const { return static_cast<Index>(weights().size()); }

  /// Row wanted[k] of the factor of `mode` becomes row k of `rows`. Any order; memory: a buffer of 1 MB.
  /// @pre rows has as many rows as are wanted and rank() columns; every one lies in the factor
  /// @throws Error{input} for values that are not finite, naming mode and row (from 0)
  void rows(int mode, std::span<const Index> wanted, FactorMatrix& rows) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tempera
