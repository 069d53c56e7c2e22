#include "distributed/als/column_exchange.hpp"

#include <algorithm>
#include <numeric>
#include <type_traits>

#include "core/base/contract.hpp"
#include "core/base/parallel.hpp"

namespace tempera {

namespace {

constexpr Index kCopiedRows = 4096;

/// What change(column) returns for `count` columns that lie one after the other.
template <class Number, class Change>
std::vector<double> values_of(std::span<Number> columns, Index count, int threads, const Change& change) {
  std::vector<double> values(static_cast<std::size_t>(count));
  const std::size_t length = columns.size() / std::max<std::size_t>(values.size(), 1);
  for_each_piece(count, 1, threads, [&](const Piece& piece) {
    const auto c = static_cast<std::size_t>(piece.begin);
    values[c] = change(columns.subspan(c * length, length));
  });
  return values;
}

/// The same on one rank, where the rows lie in order: a column a thread at a time, so that no more are copied. The copies
/// go by rows: threads that wrote to neighbouring columns would wait for each other.
template <class Matrix, class Change>
std::vector<double> values_of_all(Matrix& rows, int threads, const Change& change) {
  const auto length = static_cast<std::size_t>(rows.rows());
  const Index group = std::min<Index>(threads, rows.columns());
  std::vector<double> columns(static_cast<std::size_t>(group) * length), values;
  for (Index first = 0; first < rows.columns(); first += group) {
    const Index count = std::min(group, rows.columns() - first);
    const auto copy = [&](const auto& move) {
      for_each_piece(rows.rows(), kCopiedRows, threads, [&](const Piece& piece) {
        for (Index c = 0; c < count; ++c)
          for (Index i = piece.begin; i < piece.end; ++i)
            move(columns[static_cast<std::size_t>(c) * length + static_cast<std::size_t>(i)], rows.row(i)[first + c]);
      });
    };
    copy([](double& in_column, const double& in_row) { in_column = in_row; });
    const auto part =
        values_of(std::span(columns).first(static_cast<std::size_t>(count) * length), count, threads, change);
    values.insert(values.end(), part.begin(), part.end());
    if constexpr (!std::is_const_v<Matrix>) copy([](const double& in_column, double& in_row) { in_row = in_column; });
  }
  return values;
}

}  // namespace

ColumnExchange::ColumnExchange(const Communicator& ranks, std::span<const Index> rows, Index columns, int threads)
    : ranks_(ranks), columns_(columns), threads_(threads) {
  const Index mine = static_cast<Index>(rows.size());
  rows_of_rank_ = ranks.all_gather(std::span<const Index>(&mine, 1));
  const std::vector<Index> all = ranks.all_gather(rows);
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return all[a] < all[b]; });
  place_.resize(all.size());
  for (std::size_t k = 0; k < order.size(); ++k) place_[order[k]] = k;
}

/// The columns of this rank, one after the other.
std::vector<double> ColumnExchange::collect(const FactorMatrix& rows) const {
  TEMPERA_EXPECTS(rows.rows() == rows_of_rank_[static_cast<std::size_t>(ranks_.rank())]);
  std::vector<double> send;
  send.reserve(static_cast<std::size_t>(rows.rows() * columns_));
  std::vector<Index> counts;
  for (Index part = 0; part < ranks_.size(); ++part) {
    for (Index r = first_column(part); r < first_column(part + 1); ++r)
      for (Index i = 0; i < rows.rows(); ++i) send.push_back(rows(i, r));
    counts.push_back((first_column(part + 1) - first_column(part)) * rows.rows());
  }
  const auto arrived = ranks_.all_to_all(std::span<const double>(send), std::span<const Index>(counts));
  std::vector<double>().swap(send);
  const std::size_t length = place_.size();
  std::vector<double> columns(arrived.size());
  const Index mine = own_columns();
  std::size_t next = 0, row = 0;
  for (const Index count : rows_of_rank_) {
    for (Index c = 0; c < mine; ++c)
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
        columns[static_cast<std::size_t>(c) * length + place_[row + i]] = arrived[next++];
    row += static_cast<std::size_t>(count);
  }
  return columns;
}

double ColumnExchange::apply(FactorMatrix& rows, const std::function<double(std::span<double>)>& change) const {
  const std::size_t length = place_.size();
  if (ranks_.size() == 1) {
    const std::vector<double> values = values_of_all(rows, threads_, change);
    return std::accumulate(values.begin(), values.end(), 0.0);
  }
  std::vector<double> columns = collect(rows), send;
  send.reserve(columns.size());
  const std::vector<double> values = values_of(std::span(columns), own_columns(), threads_, change);
  std::vector<Index> counts;
  std::size_t row = 0;
  for (const Index count : rows_of_rank_) {
    for (std::size_t at = 0; at < columns.size(); at += length)
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) send.push_back(columns[at + place_[row + i]]);
    row += static_cast<std::size_t>(count);
    counts.push_back(count * static_cast<Index>(values.size()));
  }
  std::vector<double>().swap(columns);
  const auto arrived = ranks_.all_to_all(std::span<const double>(send), std::span<const Index>(counts));
  std::size_t next = 0;
  for (Index r = 0; r < columns_; ++r)
    for (Index i = 0; i < rows.rows(); ++i) rows(i, r) = arrived[next++];
  const auto all = ranks_.all_gather(std::span<const double>(values));  // in the order of the columns
  return std::accumulate(all.begin(), all.end(), 0.0);
}

std::vector<double> ColumnExchange::visit(const FactorMatrix& rows,
                                          const std::function<double(std::span<const double>)>& look) const {
  if (ranks_.size() == 1) return values_of_all(rows, threads_, look);
  const std::vector<double> columns = collect(rows);
  const std::vector<double> values = values_of(std::span(columns), own_columns(), threads_, look);
  return ranks_.all_gather(std::span<const double>(values));
}

}  // namespace tempera
