#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "distributed/linalg/redistribution.hpp"

namespace tempera {

namespace {

struct Range {
  Index begin, end;
};

/// Rows in a range that a coordinate holds, by their places among its rows.
Range held(const CyclicDeal& deal, int coordinate, Range rows) {
  const auto first_not_below = [&](Index row) {
    return CyclicDeal{row, deal.block, deal.parts}.count(coordinate);  // as many of its rows come before
  };
  return {first_not_below(rows.begin), first_not_below(rows.end)};
}

/// How the rows of ranks and the blocks of the grid overlap. A message between a rank that holds rows and a place of
/// the grid lists the columns of a panel in order, and in each column the common rows in order.
class RowExchange {
 public:
  RowExchange(const BlockCyclicMatrix& matrix, std::span<const Index> offsets) : matrix_(matrix), offsets_(offsets) {
    const auto ranks = static_cast<std::size_t>(matrix.grid().all().size());
    if (offsets.size() != ranks + 1 || offsets.front() != 0 || offsets.back() != matrix.rows() ||
        !std::ranges::is_sorted(offsets))
      throw Error(
          Category::shape, "",
          fmt::format("the rows of {} MPI ranks do not add up to the {} rows of the matrix", ranks, matrix.rows()));
  }

  Range rows_of(int rank) const {
    const auto q = static_cast<std::size_t>(rank);
    return {offsets_[q], offsets_[q + 1]};
  }
  Range mine() const { return rows_of(matrix_.grid().all().rank()); }
  Index my_rows() const { return mine().end - mine().begin; }

  /// Calls body(row of this rank, column) for what this rank, as one that holds rows, shares with a place of the grid.
  template <class Body>
  void for_each_of_place(int place, Range columns, const Body& body) const {
    const BlacsGrid& grid = matrix_.grid();
    if (place >= grid.size()) return;
    const int row_place = place % grid.rows();
    const Range rows = held(matrix_.row_deal(), row_place, mine());
    for (Index column = columns.begin; column < columns.end; ++column) {
      if (matrix_.column_deal().owner(column) != place / grid.rows()) continue;
      for (Index i = rows.begin; i < rows.end; ++i)
        body(matrix_.row_deal().global(i, row_place) - mine().begin, column);
    }
  }
  /// Calls body(local row, local column) for what this rank, as a place of the grid, shares with one that holds rows.
  template <class Body>
  void for_each_of_rank(int rank, Range columns, const Body& body) const {
    const BlacsGrid& grid = matrix_.grid();
    if (!grid.active()) return;
    const Range rows = held(matrix_.row_deal(), grid.row(), rows_of(rank));
    const Range local = held(matrix_.column_deal(), grid.column(), columns);
    for (Index j = local.begin; j < local.end; ++j)
      for (Index i = rows.begin; i < rows.end; ++i) body(i, j);
  }

 private:
  const BlockCyclicMatrix& matrix_;
  std::span<const Index> offsets_;
};

/// Columns that a panel may have so that neither rows nor blocks of a rank exceed kPanelBytes in it.
Index panel_width(Index rows) {
  return std::max(Index{1}, kPanelBytes / static_cast<Index>(sizeof(double)) / std::max(Index{1}, rows));
}

}  // namespace

BlockCyclicMatrix distribute_rows(const BlacsGrid& grid, std::span<const Index> offsets, std::span<const double> mine,
                                  Index columns, Index block) {
  TEMPERA_EXPECTS(!offsets.empty());
  BlockCyclicMatrix result(grid, offsets.back(), columns, block);
  const RowExchange exchange(result, offsets);
  if (std::ssize(mine) != exchange.my_rows() * columns)
    throw Error(Category::shape, "",
                fmt::format("{} rows of {} numbers were announced, there are {} numbers", exchange.my_rows(), columns,
                            mine.size()));
  const Index width = panel_width(result.rows());
  for (Index first = 0; first < columns; first += width) {
    const Range panel{first, std::min(first + width, columns)};
    std::vector<double> send;
    std::vector<Index> counts;
    for (int place = 0; place < grid.all().size(); ++place) {
      const auto before = std::ssize(send);
      exchange.for_each_of_place(place, panel, [&](Index row, Index column) {
        send.push_back(mine[static_cast<std::size_t>(row * columns + column)]);
      });
      counts.push_back(std::ssize(send) - before);
    }
    const std::vector<double> received = grid.all().all_to_all(std::span<const double>(send), counts);
    std::size_t next = 0;
    for (int rank = 0; rank < grid.all().size(); ++rank)
      exchange.for_each_of_rank(rank, panel, [&](Index i, Index j) { result.local(i, j) = received[next++]; });
  }
  return result;
}

std::vector<double> gather_rows(const BlockCyclicMatrix& source, std::span<const Index> offsets) {
  const RowExchange exchange(source, offsets);
  const Communicator& all = source.grid().all();
  const Index columns = source.columns();
  std::vector<double> mine(static_cast<std::size_t>(exchange.my_rows() * columns));
  const Index width = panel_width(source.rows());
  for (Index first = 0; first < columns; first += width) {
    const Range panel{first, std::min(first + width, columns)};
    std::vector<double> send;
    std::vector<Index> counts;
    for (int rank = 0; rank < all.size(); ++rank) {
      const auto before = std::ssize(send);
      exchange.for_each_of_rank(rank, panel, [&](Index i, Index j) { send.push_back(source.local(i, j)); });
      counts.push_back(std::ssize(send) - before);
    }
    const std::vector<double> received = all.all_to_all(std::span<const double>(send), counts);
    std::size_t next = 0;
    for (int place = 0; place < all.size(); ++place)
      exchange.for_each_of_place(place, panel, [&](Index row, Index column) {
        mine[static_cast<std::size_t>(row * columns + column)] = received[next++];
      });
  }
  return mine;
}

}  // namespace tempera
