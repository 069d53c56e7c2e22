#include "distributed/gaussian_process/sharded_gp_traffic.hpp"

#include <algorithm>

#include "distributed/linalg/redistribution.hpp"

namespace tempera {

namespace {

/// Of a job with so many ranks, all together.
class GridTraffic {
 public:
  GridTraffic(int ranks, Index block) : ranks_(ranks), block_(block), grid_(near_square_grid(ranks)) {}

  Traffic all_reduce(Index count, std::size_t element_bytes = sizeof(double)) const {
    Traffic sum;
    for (int rank = 0; rank < ranks_; ++rank)
      sum += all_reduce_traffic(rank, ranks_, static_cast<std::size_t>(count), element_bytes);
    return sum;
  }
  Traffic broadcast_number() const { return copies_traffic(ranks_, sizeof(double)); }
  /// See detail::call_on_grid.
  Traffic call() const { return all_reduce(1, sizeof(int)); }
  /// See tempera::replicate.
  Traffic replicate(Index rows, Index columns) const {
    Traffic sum;
    const Index width = panel_columns(rows);
    for (Index first = 0; first < columns; first += width)
      for (int column = 0; column < grid_.columns; ++column)
        for (int row = 0; row < grid_.rows; ++row) {
          const Index entries = CyclicDeal{rows, block_, grid_.rows}.count(row) *
                                columns_of(column, first, std::min(first + width, columns), columns);
          sum += copies_traffic(ranks_, static_cast<std::size_t>(entries) * sizeof(double));
        }
    return sum;
  }

  /// See tempera::cholesky.
  Traffic cholesky(Index n) const { return call() + all_reduce(n); }
  /// See solve_values.
  Traffic solve(Index n) const { return 2 * call() + replicate(n, 1) + all_reduce(n) + 2 * broadcast_number(); }
  /// See cholesky_inverse and contract_gradient.
  Traffic gradient(Index n, Index parameters) const {
    const Index blocks = (n + block_ - 1) / block_;
    return call() + all_reduce((parameters + 2) * (blocks * (blocks + 1) / 2));
  }

 private:
  Index columns_of(int coordinate, Index first, Index end, Index columns) const {
    const CyclicDeal deal{columns, block_, grid_.columns};
    Index count = 0;
    for (Index column = first; column < end; ++column) count += deal.owner(column) == coordinate ? 1 : 0;
    return count;
  }

  int ranks_;
  Index block_;
  GridShape grid_;
};

/// Words of so many panels' broadcasts: panels become shorter from one to the next.
double broadcast_words(Index n, Index block, double shortened, double copies) {
  const auto size = static_cast<double>(n);
  return size * size * copies * std::max(0.0, 1 - shortened * static_cast<double>(block) / size);
}

}  // namespace

Traffic shared_evidence_traffic(Index n, Index parameters, int ranks, Index block) {
  const GridTraffic grid(ranks, block);
  return grid.cholesky(n) + grid.solve(n) + grid.gradient(n, parameters);
}

Traffic shared_process_traffic(Index n, int ranks, Index block) {
  const GridTraffic grid(ranks, block);
  return grid.cholesky(n) + grid.solve(n) + grid.replicate(n, n);
}

double scalapack_process_bytes(Index n, int ranks, Index block) {
  const auto [p, q] = near_square_grid(ranks);
  const double transposed = p > 1 && p != q ? 0.5 : 0;
  return sizeof(double) * broadcast_words(n, block, 1, (p + q - 2 + transposed) / 2);
}

double scalapack_evidence_bytes(Index n, int ranks, Index block) {
  const auto [p, q] = near_square_grid(ranks);
  const double inverse = p * q > 1 ? p + q - 2 + 0.3 : 0;
  return scalapack_process_bytes(n, ranks, block) + sizeof(double) * broadcast_words(n, block, 1.3, inverse);
}

}  // namespace tempera
