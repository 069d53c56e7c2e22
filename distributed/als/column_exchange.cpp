#include "distributed/als/column_exchange.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/contract.hpp"

namespace tempera {

namespace {

/// On one rank the rows lie in order.
std::vector<double> column_of(const FactorMatrix& rows, Index r) {
  std::vector<double> column(static_cast<std::size_t>(rows.rows()));
  for (Index i = 0; i < rows.rows(); ++i) column[static_cast<std::size_t>(i)] = rows(i, r);
  return column;
}

}  // namespace

ColumnExchange::ColumnExchange(const Communicator& ranks, std::span<const Index> rows, Index columns)
    : ranks_(ranks), columns_(columns) {
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
  const Index mine = first_column(ranks_.rank() + 1) - first_column(ranks_.rank());
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
    double sum = 0;
    for (Index r = 0; r < columns_; ++r) {
      std::vector<double> column = column_of(rows, r);
      sum += change(column);
      for (std::size_t i = 0; i < length; ++i) rows(static_cast<Index>(i), r) = column[i];
    }
    return sum;
  }
  std::vector<double> columns = collect(rows), values, send;
  send.reserve(columns.size());
  for (std::size_t at = 0; at < columns.size(); at += length)
    values.push_back(change(std::span(columns).subspan(at, length)));
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
  std::vector<double> values;
  if (ranks_.size() == 1) {
    for (Index r = 0; r < columns_; ++r) values.push_back(look(column_of(rows, r)));
    return values;
  }
  const std::vector<double> columns = collect(rows);
  const std::size_t length = place_.size();
  for (std::size_t at = 0; at < columns.size(); at += length)
    values.push_back(look(std::span<const double>(columns).subspan(at, length)));
  return ranks_.all_gather(std::span<const double>(values));
}

}  // namespace tempera
