#include <algorithm>
#include <functional>

#include "distributed/tensor/row_exchange.hpp"

namespace tempera {

namespace {

class DenseRowExchange final : public RowExchange {
 public:
  DenseRowExchange(const Communicator& layer, Index first, Index count) : layer_(layer) {
    for (Index k = 0; k < count; ++k) layout_.global_rows.push_back(first + k);
    for (int q = 0; q <= layer.size(); ++q) cuts_.push_back(count * q / layer.size());
    layout_.owned_begin = cuts_[static_cast<std::size_t>(layer.rank())];
    layout_.owned_count = cuts_[static_cast<std::size_t>(layer.rank()) + 1] - layout_.owned_begin;
  }

  Index buffer_rows(Index) const override { return layer_.size() == 1 ? 0 : layout_.rows() + layout_.owned_count; }

  int ranks() const override { return layer_.size(); }

  Index rows_sent() const override {
    return layout_.rows() - layout_.owned_count + layout_.owned_count * (layer_.size() - 1);
  }

  std::unique_ptr<PendingRows> begin_reduction(FactorMatrix& partial) const override {
    return std::make_unique<Whole>([this, &partial] { reduce(partial); });
  }
  std::unique_ptr<PendingRows> begin_sharing(FactorMatrix& rows) const override {
    return std::make_unique<Whole>([this, &rows] { share(rows); });
  }

 private:
  /// All rows of a dense block come at once, from one matrix product: nothing could go on beside the collective call.
  class Whole final : public PendingRows {
   public:
    explicit Whole(std::function<void()> exchange) : exchange_(std::move(exchange)) {}
    void advance() override {}
    void finish() override { exchange_(); }

   private:
    std::function<void()> exchange_;
  };

  void reduce(FactorMatrix& partial) const {
    if (layer_.size() == 1) return;
    const auto packed = pack(partial, 0, partial.rows());
    std::vector<double> mine(static_cast<std::size_t>(layout_.owned_count * partial.columns()));
    const auto lengths = counts(partial.columns());
    layer_.reduce_scatter_sum(packed, lengths, mine);
    unpack(mine, partial, layout_.owned_begin);
  }

  void share(FactorMatrix& rows) const {
    if (layer_.size() == 1) return;
    const auto mine = pack(rows, layout_.owned_begin, layout_.owned_count);
    std::vector<double> all(static_cast<std::size_t>(rows.rows() * rows.columns()));
    const auto lengths = counts(rows.columns());
    layer_.all_gather_into(mine, lengths, all);
    unpack(all, rows, 0);
  }

  std::vector<Index> counts(Index columns) const {
    std::vector<Index> lengths;
    for (std::size_t q = 0; q + 1 < cuts_.size(); ++q) lengths.push_back((cuts_[q + 1] - cuts_[q]) * columns);
    return lengths;
  }
  static std::vector<double> pack(const FactorMatrix& rows, Index first, Index count) {
    std::vector<double> packed;
    packed.reserve(static_cast<std::size_t>(count * rows.columns()));
    for (Index i = first; i < first + count; ++i)
      packed.insert(packed.end(), rows.row(i), rows.row(i) + rows.columns());
    return packed;
  }
  static void unpack(const std::vector<double>& packed, FactorMatrix& rows, Index first) {
    const Index count = static_cast<Index>(packed.size()) / std::max<Index>(1, rows.columns());
    for (Index k = 0; k < count; ++k)
      std::copy_n(packed.data() + k * rows.columns(), rows.columns(), rows.row(first + k));
  }

  Communicator layer_;
  std::vector<Index> cuts_;
};

}  // namespace

std::unique_ptr<RowExchange> dense_row_exchange(const Communicator& layer, Index first, Index count) {
  return std::make_unique<DenseRowExchange>(layer, first, count);
}

}  // namespace tempera
