#include "core/tensor/nonzero_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <boost/sort/spreadsort/integer_sort.hpp>
#include <limits>
#include <numeric>
#include <type_traits>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {

constexpr std::uint64_t kLargest32 = std::numeric_limits<std::uint32_t>::max();

int field_bits(Index size) {
  return size <= 1 ? 0 : std::bit_width(static_cast<std::uint64_t>(size - 1));
}

/// Shift of each mode's field when the fields stand in this order, most significant first.
std::vector<int> shifts(const std::vector<int>& bits, const std::vector<int>& mode_order) {
  std::vector<int> result(bits.size());
  int position = 0;
  for (std::size_t k = mode_order.size(); k-- > 0;) {
    const auto mode = static_cast<std::size_t>(mode_order[k]);
    result[mode] = position;
    position += bits[mode];
  }
  return result;
}

template <class Key>
Key field_mask(int bits) {
  return bits == 0 ? Key{0} : static_cast<Key>((Key{1} << bits) - 1);
}

template <class Entries>
using KeyOf = std::remove_cvref_t<decltype(std::declval<Entries&>().front().key)>;

template <class Entries>
void sort_by_key(Entries& entries) {
  using Entry = typename Entries::value_type;
  const auto less = [](const Entry& a, const Entry& b) { return a.key < b.key; };
  if constexpr (sizeof(Entry::key) == sizeof(std::uint64_t))
    boost::sort::spreadsort::integer_sort(
        entries.begin(), entries.end(), [](const Entry& e, unsigned offset) { return e.key >> offset; }, less);
  else
    std::sort(entries.begin(), entries.end(), less);
}

}  // namespace

NonzeroList::NonzeroList(std::vector<Index> shape, Index count) : shape_(std::move(shape)), mode_order_(shape_.size()) {
  std::iota(mode_order_.begin(), mode_order_.end(), 0);
  int total_bits = 0;
  for (Index size : shape_) {
    if (static_cast<std::uint64_t>(size) > kLargest32)
      throw Error(Category::environment, "", fmt::format("{} rows of one mode on a single MPI rank", size),
                  "use more MPI ranks: a rank holds at most 2^32 - 1 rows of a mode");
    bits_.push_back(field_bits(size));
    total_bits += bits_.back();
  }
  if (static_cast<std::uint64_t>(count) >= kLargest32)
    throw Error(Category::environment, "", fmt::format("{} nonzeros on a single MPI rank", count),
                "use more MPI ranks: a rank holds at most 2^32 - 2 nonzeros");
  const auto length = static_cast<std::size_t>(count);
  if (total_bits <= 64)
    entries_ = Narrow(length);
  else if (total_bits <= 128)
    entries_ = Wide(length);
  else
    throw Error(Category::environment, "", fmt::format("local coordinates need {} bits, more than 128", total_bits),
                "use more MPI ranks, so that each holds fewer rows of the long modes");
}

NonzeroList::NonzeroList(const SparseTensor& tensor) : NonzeroList(tensor.shape(), tensor.nonzeros()) {
  for (int mode = 0; mode < tensor.order(); ++mode) {
    const auto indices = tensor.indices(mode);
    set_mode(mode, std::vector<std::uint32_t>(indices.begin(), indices.end()));
  }
  set_values(tensor.values());
  sum_duplicates();
}

Index NonzeroList::size() const {
  return std::visit([](const auto& entries) { return static_cast<Index>(entries.size()); }, entries_);
}

void NonzeroList::set_mode(int mode, std::span<const std::uint32_t> indices) {
  TEMPERA_EXPECTS(static_cast<Index>(indices.size()) == size());
  const int shift = shifts(bits_, mode_order_)[static_cast<std::size_t>(mode)];
  if (bits_[static_cast<std::size_t>(mode)] == 0) return;
  std::visit(
      [&](auto& entries) {
        using Key = KeyOf<decltype(entries)>;
        for (std::size_t k = 0; k < indices.size(); ++k) entries[k].key |= static_cast<Key>(indices[k]) << shift;
      },
      entries_);
}

void NonzeroList::set_values(std::span<const double> values) {
  TEMPERA_EXPECTS(static_cast<Index>(values.size()) == size());
  std::visit(
      [&](auto& entries) {
        for (std::size_t k = 0; k < values.size(); ++k) entries[k].value = values[k];
      },
      entries_);
}

Index NonzeroList::sum_duplicates() {
  return std::visit(
      [](auto& entries) -> Index {
        sort_by_key(entries);
        std::size_t kept = 0;
        for (std::size_t k = 0; k < entries.size();) {
          std::size_t end = k + 1;
          while (end < entries.size() && entries[end].key == entries[k].key) ++end;
          if (end - k > 1)  // increasing value: the sum must not depend on how the file was split over ranks
            std::sort(entries.begin() + static_cast<std::ptrdiff_t>(k),
                      entries.begin() + static_cast<std::ptrdiff_t>(end),
                      [](const auto& a, const auto& b) { return a.value < b.value; });
          auto merged = entries[k];
          for (std::size_t same = k + 1; same < end; ++same) merged.value += entries[same].value;
          entries[kept++] = merged;
          k = end;
        }
        const auto removed = static_cast<Index>(entries.size() - kept);
        entries.resize(kept);
        return removed;
      },
      entries_);
}

void NonzeroList::reorder(const std::vector<int>& mode_order) {
  if (mode_order == mode_order_) return;
  const auto from = shifts(bits_, mode_order_), to = shifts(bits_, mode_order);
  std::visit(
      [&](auto& entries) {
        using Key = KeyOf<decltype(entries)>;
        std::vector<Key> masks;
        for (int bits : bits_) masks.push_back(field_mask<Key>(bits));
        for (auto& entry : entries) {
          Key key = 0;
          for (std::size_t mode = 0; mode < bits_.size(); ++mode)
            if (bits_[mode] > 0) key |= ((entry.key >> from[mode]) & masks[mode]) << to[mode];
          entry.key = key;
        }
        sort_by_key(entries);
      },
      entries_);
  mode_order_ = mode_order;
}

CsfTensor NonzeroList::build(const std::vector<int>& mode_order) {
  TEMPERA_EXPECTS(mode_order.size() == shape_.size());
  reorder(mode_order);
  CsfTensor tree;
  tree.mode_order_ = mode_order;
  const std::size_t depth = mode_order.size();
  const auto shift = shifts(bits_, mode_order);

  std::visit(
      [&](const auto& entries) {
        using Key = KeyOf<decltype(entries)>;
        // first_new(a, b): the highest level at which two consecutive keys differ; all levels below open a node too.
        std::vector<int> level_shift(depth);
        std::vector<Key> level_mask(depth);
        for (std::size_t level = 0; level < depth; ++level) {
          const auto mode = static_cast<std::size_t>(mode_order[level]);
          level_shift[level] = shift[mode];
          level_mask[level] = field_mask<Key>(bits_[mode]);
        }
        const auto first_new = [&](std::size_t k) -> std::size_t {
          if (k == 0) return 0;
          const Key difference = entries[k].key ^ entries[k - 1].key;
          std::size_t level = 0;
          // A mode of size 1 never differs; its field of no bits may begin one past the key.
          while (level + 1 < depth && (level_mask[level] == 0 || (difference >> level_shift[level]) == 0)) ++level;
          return level;
        };
        std::vector<std::size_t> count(depth, 0);
        for (std::size_t k = 0; k < entries.size(); ++k)
          for (std::size_t level = first_new(k); level < depth; ++level) ++count[level];

        tree.ids_.resize(depth);
        tree.pointers_.resize(depth - 1);
        for (std::size_t level = 0; level < depth; ++level) {
          tree.node_counts_.push_back(static_cast<Index>(count[level]));
          tree.ids_[level].reserve(count[level] + CsfTensor::kPrefetchPadding);
          if (level + 1 < depth) tree.pointers_[level].reserve(count[level] + 1);
        }
        tree.values_.reserve(entries.size());
        for (std::size_t k = 0; k < entries.size(); ++k) {
          for (std::size_t level = first_new(k); level < depth; ++level) {
            const Key field = (bits_[static_cast<std::size_t>(mode_order[level])] == 0)
                                  ? Key{0}
                                  : static_cast<Key>((entries[k].key >> level_shift[level]) & level_mask[level]);
            if (level + 1 < depth)
              tree.pointers_[level].push_back(static_cast<std::uint32_t>(tree.ids_[level + 1].size()));
            tree.ids_[level].push_back(static_cast<std::uint32_t>(field));
          }
          tree.values_.push_back(entries[k].value);
        }
        for (std::size_t level = 0; level + 1 < depth; ++level)
          tree.pointers_[level].push_back(static_cast<std::uint32_t>(tree.ids_[level + 1].size()));
        for (auto& ids : tree.ids_) ids.resize(ids.size() + CsfTensor::kPrefetchPadding, 0);
      },
      entries_);
  return tree;
}

}  // namespace tempera
