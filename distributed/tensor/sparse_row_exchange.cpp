#include <algorithm>
#include <utility>

#include "core/base/contract.hpp"
#include "distributed/tensor/row_exchange.hpp"
#include "distributed/tensor/row_owners.hpp"

namespace tempera {

namespace {

template <class T>
std::pair<std::vector<T>, std::vector<Index>> flatten(const std::vector<std::vector<T>>& buckets) {
  std::pair<std::vector<T>, std::vector<Index>> flat;
  for (const auto& bucket : buckets) {
    flat.second.push_back(static_cast<Index>(bucket.size()));
    flat.first.insert(flat.first.end(), bucket.begin(), bucket.end());
  }
  return flat;
}

class SparseRowExchange final : public RowExchange {
 public:
  SparseRowExchange(const Communicator& layer, std::span<const Index> touched) : layer_(layer) {
    TEMPERA_EXPECTS(std::is_sorted(touched.begin(), touched.end()));
    const auto ranks = static_cast<std::size_t>(layer.size());
    if (ranks == 1) {
      layout_.global_rows.assign(touched.begin(), touched.end());
      layout_.owned_count = layout_.rows();
      return;
    }
    // 1. every rank tells the directories which rows it touches
    std::vector<std::vector<Index>> asked(ranks);
    for (Index row : touched) asked[static_cast<std::size_t>(directory_of(row, layer.size()))].push_back(row);
    const auto [rows_sent, row_counts] = flatten(asked);
    std::vector<Index> arrived_counts;
    const auto arrived =
        layer.all_to_all(std::span<const Index>(rows_sent), std::span<const Index>(row_counts), &arrived_counts);

    // 2. the directory chooses owners and answers in the order it was asked; owners learn who else touches their rows
    std::vector<RowTouch> touches;
    std::size_t position = 0;
    for (std::size_t q = 0; q < ranks; ++q)
      for (Index k = 0; k < arrived_counts[q]; ++k) touches.push_back({arrived[position++], static_cast<int>(q)});
    std::sort(touches.begin(), touches.end(),
              [](const RowTouch& a, const RowTouch& b) { return a.row != b.row ? a.row < b.row : a.rank < b.rank; });
    std::vector<Index> owned(ranks, 0);
    const std::vector<int> owners = choose_owners(touches, owned);
    std::vector<std::vector<Index>> answers(ranks), notices(ranks);
    for (std::size_t k = 0; k < touches.size(); ++k) {
      answers[static_cast<std::size_t>(touches[k].rank)].push_back(
          owners[k]);  // rows of a rank come in increasing order
      if (touches[k].rank != owners[k]) {
        auto& notice = notices[static_cast<std::size_t>(owners[k])];
        notice.push_back(touches[k].row);
        notice.push_back(touches[k].rank);
      }
    }
    const auto [answer_words, answer_counts] = flatten(answers);
    const auto my_owners =
        layer.all_to_all(std::span<const Index>(answer_words), std::span<const Index>(answer_counts));
    const auto [notice_words, notice_counts] = flatten(notices);
    const auto my_notices =
        layer.all_to_all(std::span<const Index>(notice_words), std::span<const Index>(notice_counts));
    set_layout(asked, my_owners);
    set_ghost_holders(my_notices);
  }

  Index buffer_rows(Index columns) const override {
    if (layer_.size() == 1) return 0;
    return std::ssize(holder_positions_) + (padded_columns(columns) == columns ? 0 : ghosts());
  }
  std::size_t bytes() const override { return RowExchange::bytes() + holder_positions_.size() * sizeof(Index); }

  int ranks() const override { return layer_.size(); }

  Index rows_sent() const override { return ghosts() + std::ssize(holder_positions_); }

  std::unique_ptr<PendingRows> begin_reduction(FactorMatrix& partial) const override {
    if (layer_.size() == 1) return std::make_unique<NothingPending>();
    const Index columns = partial.columns();
    std::span<double> leaving = ghost_rows(partial);
    Buffer buffer(std::ssize(holder_positions_), leaving.empty() ? ghosts() : 0, columns);
    if (leaving.empty()) {
      leaving = buffer.second;
      for (Index k = 0; k < ghosts(); ++k)
        std::copy_n(partial.row(layout_.owned_count + k), columns, leaving.data() + k * columns);
    }
    PendingExchange exchange = begin(leaving, owners_, layout_.owned_count, buffer.first, holders_, 0, columns);
    return std::make_unique<PendingReduction>(*this, partial, std::move(buffer), std::move(exchange));
  }

  std::unique_ptr<PendingRows> begin_sharing(FactorMatrix& rows) const override {
    if (layer_.size() == 1) return std::make_unique<NothingPending>();
    const Index columns = rows.columns();
    std::span<double> arriving = ghost_rows(rows);
    Buffer buffer(std::ssize(holder_positions_), arriving.empty() ? ghosts() : 0, columns);
    for (std::size_t k = 0; k < holder_positions_.size(); ++k)
      std::copy_n(rows.row(holder_positions_[k]), columns, buffer.first.data() + k * static_cast<std::size_t>(columns));
    if (arriving.empty()) arriving = buffer.second;
    PendingExchange exchange = begin(buffer.first, holders_, 0, arriving, owners_, layout_.owned_count, columns);
    return std::make_unique<PendingSharing>(*this, rows, std::move(buffer), std::move(exchange));
  }

 private:
  /// Room for two groups of rows, not initialised. It lasts for one exchange: a fit that waits between sweeps holds none.
  struct Buffer {
    Buffer(Index rows, Index more_rows, Index columns)
        : memory(std::make_unique_for_overwrite<double[]>(static_cast<std::size_t>((rows + more_rows) * columns))),
          first(memory.get(), static_cast<std::size_t>(rows * columns)),
          second(memory.get() + rows * columns, static_cast<std::size_t>(more_rows * columns)) {}
    std::unique_ptr<double[]> memory;
    std::span<double> first, second;
  };

  class NothingPending final : public PendingRows {
   public:
    void advance() override {}
    void finish() override {}
  };

  class PendingReduction final : public PendingRows {
   public:
    PendingReduction(const SparseRowExchange& rows, FactorMatrix& partial, Buffer buffer, PendingExchange exchange)
        : rows_(rows), partial_(partial), buffer_(std::move(buffer)), exchange_(std::move(exchange)) {}
    void advance() override { exchange_.advance(); }
    void finish() override {
      exchange_.finish();
      const Index columns = partial_.columns();
      const double* term = buffer_.first.data();
      for (const Index position : rows_.holder_positions_) {
        double* row = partial_.row(position);
        for (Index r = 0; r < columns; ++r) row[r] += term[r];
        term += columns;
      }
    }

   private:
    const SparseRowExchange& rows_;
    FactorMatrix& partial_;
    Buffer buffer_;
    PendingExchange exchange_;  // after the memory of its parts
  };

  class PendingSharing final : public PendingRows {
   public:
    PendingSharing(const SparseRowExchange& rows, FactorMatrix& shared, Buffer buffer, PendingExchange exchange)
        : rows_(rows), shared_(shared), buffer_(std::move(buffer)), exchange_(std::move(exchange)) {}
    void advance() override { exchange_.advance(); }
    void finish() override {
      exchange_.finish();
      const Index columns = shared_.columns(), first = rows_.layout_.owned_count;
      const Index copied = std::ssize(buffer_.second) / std::max<Index>(1, columns);
      for (Index k = 0; k < copied; ++k)
        std::copy_n(buffer_.second.data() + k * columns, columns, shared_.row(first + k));
    }

   private:
    const SparseRowExchange& rows_;
    FactorMatrix& shared_;
    Buffer buffer_;
    PendingExchange exchange_;
  };

  /// Rows shared with one other rank: a run of local ghosts, or of entries of holder_positions_.
  struct Peer {
    int rank;
    Index first;
    Index count;
  };

  void set_layout(const std::vector<std::vector<Index>>& asked, std::span<const Index> owner_of_asked) {
    std::vector<RowTouch> mine;
    std::size_t position = 0;
    for (const auto& bucket : asked)
      for (Index row : bucket) mine.push_back({row, static_cast<int>(owner_of_asked[position++])});
    const int self = layer_.rank();
    std::sort(mine.begin(), mine.end(), [self](const RowTouch& a, const RowTouch& b) {
      const int group_a = a.rank == self ? -1 : a.rank, group_b = b.rank == self ? -1 : b.rank;
      return group_a != group_b ? group_a < group_b : a.row < b.row;
    });
    for (const RowTouch& touch : mine) {
      const Index local = layout_.rows();
      layout_.global_rows.push_back(touch.row);
      if (touch.rank == self)
        ++layout_.owned_count;
      else if (owners_.empty() || owners_.back().rank != touch.rank)
        owners_.push_back({touch.rank, local, 1});
      else
        ++owners_.back().count;
    }
  }

  void set_ghost_holders(std::span<const Index> notices) {
    std::vector<RowTouch> holders;
    for (std::size_t k = 0; k < notices.size(); k += 2)
      holders.push_back({notices[k], static_cast<int>(notices[k + 1])});
    std::sort(holders.begin(), holders.end(),
              [](const RowTouch& a, const RowTouch& b) { return a.rank != b.rank ? a.rank < b.rank : a.row < b.row; });
    const auto owned = layout_.owned_rows();
    for (const RowTouch& holder : holders) {
      if (holders_.empty() || holders_.back().rank != holder.rank)
        holders_.push_back({holder.rank, static_cast<Index>(holder_positions_.size()), 0});
      ++holders_.back().count;
      holder_positions_.push_back(std::lower_bound(owned.begin(), owned.end(), holder.row) - owned.begin());
    }
  }

  Index ghosts() const { return layout_.rows() - layout_.owned_count; }

  /// The ghosts where they stand, if no padding lies between them: they come grouped by owner. Else empty.
  std::span<double> ghost_rows(FactorMatrix& rows) const {
    if (rows.stride() != rows.columns()) return {};
    return rows.storage().subspan(static_cast<std::size_t>(layout_.owned_count * rows.columns()));
  }

  PendingExchange begin(std::span<const double> leaving, const std::vector<Peer>& to, Index first_leaving,
                        std::span<double> arriving, const std::vector<Peer>& from, Index first_arriving,
                        Index columns) const {
    const auto part = [columns](auto rows, const Peer& peer, Index first) {
      return rows.subspan(static_cast<std::size_t>((peer.first - first) * columns),
                          static_cast<std::size_t>(peer.count * columns));
    };
    outgoing_.clear();
    incoming_.clear();
    for (const Peer& peer : to) outgoing_.push_back({peer.rank, part(leaving, peer, first_leaving)});
    for (const Peer& peer : from) incoming_.push_back({peer.rank, part(arriving, peer, first_arriving)});
    return layer_.begin_exchange(std::span<const Outgoing<double>>(outgoing_),
                                 std::span<const Incoming<double>>(incoming_));
  }

  Communicator layer_;
  std::vector<Peer> owners_;             ///< runs of ghosts by owner
  std::vector<Peer> holders_;            ///< runs of holder_positions_ by the rank that holds ghosts of my rows
  std::vector<Index> holder_positions_;  ///< local (owned) rows, holder after holder
  mutable std::vector<Outgoing<double>> outgoing_;
  mutable std::vector<Incoming<double>> incoming_;
};

}  // namespace

std::unique_ptr<RowExchange> sparse_row_exchange(const Communicator& layer, std::span<const Index> touched) {
  return std::make_unique<SparseRowExchange>(layer, touched);
}

}  // namespace tempera
