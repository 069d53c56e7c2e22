#include "core/factorization/row_sums.hpp"

#include <cblas.h>

#include <algorithm>

#include "core/base/contract.hpp"
#include "core/base/parallel.hpp"
#include "core/factorization/detail/row_kernels.hpp"

namespace tempera {

namespace {

constexpr Index kScaledNumbers = Index{1} << 18;  // little is done to each: fewer would not be worth a thread's start

/// Sums of the rows of a piece, the upper triangle of the Gram matrix only.
struct PieceSums {
  PieceSums(Index rank, Index stride) : gram(rank), inner(static_cast<std::size_t>(stride)) {}

  void set_zero() {
    std::fill(gram.values.begin(), gram.values.end(), 0.0);
    std::fill(inner.begin(), inner.end(), 0.0);
  }
  void add_to(RowSums& sums) const {
    for (Index j = 0; j < gram.rank; ++j)
      for (Index i = 0; i <= j; ++i) sums.gram(i, j) += gram(i, j);
    for (std::size_t r = 0; r < sums.inner.size(); ++r) sums.inner[r] += inner[r];
  }

  GramMatrix gram;
  std::vector<double> inner;
};

/// Pieces whose sums are formed before they are added in their order: some for each thread, so that threads seldom wait for
/// each other, but few of them where the Gram matrix is large.
Index pieces_together(Index rank, int threads) {
  constexpr Index kPiecesPerThread = 8;
  constexpr Index kNumbers = Index{1} << 20;
  return threads > 1 ? std::clamp<Index>(kNumbers / (rank * rank), threads, kPiecesPerThread * threads) : 1;
}

template <class Prepare>
void add_tiles(const FactorMatrix& product, const FactorMatrix& factor, Index first, Index count, RowSums& sums,
               int threads, Prepare&& prepare) {
  TEMPERA_EXPECTS(product.stride() == factor.stride() && first >= 0 && first + count <= factor.rows());
  const auto rank = static_cast<int>(sums.gram.rank), stride = static_cast<int>(factor.stride());
  const auto add_dots = detail::row_kernels().add_column_dots;
  const Index together = kSumRows * pieces_together(sums.gram.rank, threads);
  std::vector<PieceSums> parts(static_cast<std::size_t>((std::min(count, together) + kSumRows - 1) / kSumRows),
                               PieceSums(sums.gram.rank, factor.stride()));
  for (Index done = 0; done < count; done += together) {
    const Index rows = std::min(together, count - done);
    for_each_piece(rows, kSumRows, threads, [&](const Piece& piece) {
      PieceSums& part = parts[static_cast<std::size_t>(piece.begin / kSumRows)];
      part.set_zero();
      for (Index at = piece.begin; at < piece.end; at += kRowTile) {
        const Index row = first + done + at, tile = std::min(kRowTile, piece.end - at);
        prepare(row, tile);
        cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, rank, static_cast<int>(tile), 1.0, factor.row(row), stride,
                    1.0, part.gram.values.data(), rank);
        add_dots(product.row(row), factor.row(row), stride, tile, part.inner.data());
      }
    });
    for (Index piece = 0; piece * kSumRows < rows; ++piece) parts[static_cast<std::size_t>(piece)].add_to(sums);
  }
  for (Index j = 0; j < sums.gram.rank; ++j)
    for (Index i = j + 1; i < sums.gram.rank; ++i) sums.gram(i, j) = sums.gram(j, i);
}

}  // namespace

void add_row_sums(const FactorMatrix& product, const FactorMatrix& factor, Index first, Index count, RowSums& sums,
                  int threads) {
  add_tiles(product, factor, first, count, sums, threads, [](Index, Index) {});
}

void solve_rows(const NormalEquations& equations, const FactorMatrix& product, FactorMatrix& factor, Index first,
                Index count, RowSums& sums, int threads) {
  add_tiles(product, factor, first, count, sums, threads,
            [&](Index row, Index tile) { equations.solve(product, factor, row, tile); });
}

void scale_columns(FactorMatrix& rows, std::span<const double> scale, int threads) {
  TEMPERA_EXPECTS(std::ssize(scale) == rows.columns());
  std::vector<double> padded(static_cast<std::size_t>(rows.stride()), 0.0);
  std::copy(scale.begin(), scale.end(), padded.begin());
  const auto scale_rows = detail::row_kernels().scale_columns;
  const Index length = std::max<Index>(kScaledNumbers / std::max<Index>(rows.stride(), 1), 1);
  for_each_piece(rows.rows(), length, threads, [&](const Piece& piece) {
    scale_rows(rows.row(piece.begin), padded.data(), rows.stride(), piece.end - piece.begin);
  });
}

}  // namespace tempera
