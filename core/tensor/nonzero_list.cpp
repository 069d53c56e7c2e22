#include "core/tensor/nonzero_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/base/simd.hpp"
#include "core/tensor/detail/key_fields.hpp"

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

constexpr int kMostDigitBits = 14;                         // as many places as the second cache has lines
constexpr std::size_t kAhead = 32;                         // places between a prefetch and its use
constexpr std::size_t kFewEntries = std::size_t{1} << 12;  // below, comparing is faster than counting
constexpr std::size_t kTile = 2048;                        // keys that stay in the first cache
constexpr Index kNearRows = Index{1} << 15;                // buckets whose ends stay in the cache

/// Starts of the buckets from their counts, in place.
void accumulate(std::span<std::uint32_t> counts) {
  std::uint32_t sum = 0;
  for (std::uint32_t& count : counts) sum += std::exchange(count, sum);
}

/// Least-significant-digit radix sort, stable; takes room for a second copy meanwhile. On packed keys of 40 to 60 bits
/// three to four times as fast as the general sorts of the libraries.
template <class Entries>
void sort_by_key(Entries& entries, int key_bits) {
  using Entry = typename Entries::value_type;
  if (entries.size() < kFewEntries) {
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
    return;
  }
  const int most = std::min(kMostDigitBits, static_cast<int>(std::bit_width(entries.size())) - 3);
  const int passes = std::max(1, (key_bits + most - 1) / most), bits = (key_bits + passes - 1) / passes;
  const std::size_t places = std::size_t{1} << bits;
  const auto digit = [&](const Entry& entry, int pass) {
    return static_cast<std::size_t>(entry.key >> (pass * bits)) & (places - 1);
  };
  std::vector<std::uint32_t> counts(static_cast<std::size_t>(passes) * places, 0);
  for (const Entry& entry : entries)
    for (int pass = 0; pass < passes; ++pass) ++counts[static_cast<std::size_t>(pass) * places + digit(entry, pass)];
  Entries other(entries.size());
  for (int pass = 0; pass < passes; ++pass) {
    const auto begin = std::span<std::uint32_t>(counts).subspan(static_cast<std::size_t>(pass) * places, places);
    if (begin[digit(entries.front(), pass)] == entries.size()) continue;  // all equal
    accumulate(begin);
    for (const Entry& entry : entries) other[begin[digit(entry, pass)]++] = entry;
    std::swap(entries, other);
  }
}

struct KeyKernels {
  detail::KeyFieldsKernel fields;
  detail::KeyStepsKernel steps;
};

KeyKernels key_kernels() {
#if defined(__x86_64__)
  switch (simd_level()) {
    case SimdLevel::avx512: return {simd::avx512::key_fields, simd::avx512::key_steps};
    case SimdLevel::avx2: return {simd::avx2::key_fields, simd::avx2::key_steps};
    case SimdLevel::baseline: break;
  }
#endif
  return {simd::baseline::key_fields, simd::baseline::key_steps};
}

/// fields[k] = (keys[k] >> shift) & mask
template <class Key>
void fields_of(const Key* keys, std::size_t count, int shift, Key mask, std::uint32_t* fields) {
  if constexpr (sizeof(Key) == 8)
    key_kernels().fields(keys, count, shift, mask, fields);
  else
    for (std::size_t k = 0; k < count; ++k) fields[k] = static_cast<std::uint32_t>((keys[k] >> shift) & mask);
}

/// How many keys differ from the one before in the bits from `shift` up.
template <class Key>
std::size_t steps_of(const Key* keys, std::size_t count, int shift) {
  if constexpr (sizeof(Key) == 8) return key_kernels().steps(keys, count, shift);
  std::size_t steps = 0;
  for (std::size_t k = 1; k < count; ++k) steps += ((keys[k] ^ keys[k - 1]) >> shift) != 0 ? 1 : 0;
  return steps;
}

/// Modes by increasing size, so that sharing in a tree happens near the root.
std::vector<int> by_size(const std::vector<Index>& shape) {
  std::vector<int> modes(shape.size());
  std::iota(modes.begin(), modes.end(), 0);
  std::stable_sort(modes.begin(), modes.end(), [&](int x, int y) {
    return shape[static_cast<std::size_t>(x)] < shape[static_cast<std::size_t>(y)];
  });
  return modes;
}

}  // namespace

NonzeroList::NonzeroList(std::vector<Index> shape, Index count)
    : shape_(std::move(shape)), mode_order_(by_size(shape_)) {
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
    entries_ = Narrow(length, {0, 0});
  else if (total_bits <= 128)
    entries_ = Wide(length, {0, 0});
  else
    throw Error(Category::environment, "", fmt::format("local coordinates need {} bits, more than 128", total_bits),
                "use more MPI ranks, so that each holds fewer rows of the long modes");
}

NonzeroList::NonzeroList(const SparseTensor& tensor) : NonzeroList(tensor.shape(), tensor.nonzeros()) {
  for (int mode = 0; mode < tensor.order(); ++mode) {
    const auto indices = tensor.indices(mode);
    set_mode(mode, 0, std::vector<std::uint32_t>(indices.begin(), indices.end()));
  }
  set_values(0, tensor.values());
  sum_duplicates();
}

Index NonzeroList::size() const {
  return std::visit([](const auto& entries) { return static_cast<Index>(entries.size()); }, entries_);
}

std::size_t NonzeroList::bytes() const {
  return std::visit([](const auto& entries) { return entries.size() * sizeof(entries.front()); }, entries_);
}

void NonzeroList::set_mode(int mode, Index first, std::span<const std::uint32_t> indices) {
  TEMPERA_EXPECTS(first >= 0 && first + std::ssize(indices) <= size());
  const int shift = shifts(bits_, mode_order_)[static_cast<std::size_t>(mode)];
  if (bits_[static_cast<std::size_t>(mode)] == 0) return;
  std::visit(
      [&](auto& entries) {
        using Key = KeyOf<decltype(entries)>;
        auto* entry = entries.data() + first;
        for (const std::uint32_t index : indices) (entry++)->key |= static_cast<Key>(index) << shift;
      },
      entries_);
}

void NonzeroList::set_values(Index first, std::span<const double> values) {
  TEMPERA_EXPECTS(first >= 0 && first + std::ssize(values) <= size());
  std::visit(
      [&](auto& entries) {
        auto* entry = entries.data() + first;
        for (const double value : values) (entry++)->value = value;
      },
      entries_);
}

Index NonzeroList::sum_duplicates() {
  return std::visit(
      [&](auto& entries) -> Index {
        sort_by_key(entries, total_bits());
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
        sort_by_key(entries, total_bits());
      },
      entries_);
  mode_order_ = mode_order;
}

int NonzeroList::total_bits() const {
  return std::accumulate(bits_.begin(), bits_.end(), 0);
}

/// Keys and values in the order of a stable counting sort by one mode, that mode's field moved to the front.
template <class Key>
void NonzeroList::root_keys(int mode, LargeVector<Key>& keys, LargeVector<double>& values) {
  const auto& entries = std::get<LargeVector<Entry<Key>>>(entries_);
  const auto m = static_cast<std::size_t>(mode);
  const Key mask = field_mask<Key>(bits_[m]);
  const int shift = mask == 0 ? 0 : shifts(bits_, mode_order_)[m];
  const int front = mask == 0 ? 0 : total_bits() - bits_[m];
  const Key below = field_mask<Key>(shift);
  const auto field_of = [&](const Entry<Key>& entry) { return static_cast<std::size_t>((entry.key >> shift) & mask); };
  const auto place = [&](const Entry<Key>& entry, std::size_t k) {
    const Key field = (entry.key >> shift) & mask, lower = entry.key & below,
              upper = entry.key - lower - (field << shift);
    keys[k] = static_cast<Key>((field << front) | (upper >> bits_[m]) | lower);
    values[k] = entry.value;
  };
  std::vector<std::uint32_t> begin(static_cast<std::size_t>(shape_[m]) + 1, 0);
  for (const auto& entry : entries) ++begin[field_of(entry)];
  accumulate(begin);
  if (shape_[m] <= kNearRows) {
    for (const auto& entry : entries) place(entry, begin[field_of(entry)]++);
    return;
  }
  // Too many buckets to write into: find the places, then write in order.
  places_.resize(entries.size() + kAhead);
  std::fill_n(places_.end() - kAhead, kAhead, 0);
  for (std::size_t k = 0; k < entries.size(); ++k)
    places_[begin[field_of(entries[k])]++] = static_cast<std::uint32_t>(k);
  for (std::size_t k = 0; k < entries.size(); ++k) {
    __builtin_prefetch(&entries[places_[k + kAhead]]);
    place(entries[places_[k]], k);
  }
}

CsfTensor NonzeroList::build(const std::vector<int>& mode_order, double long_fibre) {
  TEMPERA_EXPECTS(mode_order.size() == shape_.size());
  std::vector<int> moved = mode_order_;
  moved.erase(std::find(moved.begin(), moved.end(), mode_order.front()));
  moved.insert(moved.begin(), mode_order.front());
  const bool moves_root = mode_order != mode_order_ && mode_order == moved;
  if (!moves_root) reorder(mode_order);
  return std::visit(
      [&](const auto& entries) {
        using Key = KeyOf<decltype(entries)>;
        LargeVector<double> values(entries.size());
        if (!std::holds_alternative<LargeVector<Key>>(keys_)) keys_ = LargeVector<Key>();
        auto& keys = std::get<LargeVector<Key>>(keys_);
        keys.resize(entries.size());
        if (moves_root) {
          root_keys<Key>(mode_order.front(), keys, values);
        } else {
          for (std::size_t k = 0; k < entries.size(); ++k) {
            keys[k] = entries[k].key;
            values[k] = entries[k].value;
          }
        }
        CsfTensor tree = tree_of<Key>(mode_order, keys, long_fibre);
        tree.values_ = std::move(values);
        return tree;
      },
      entries_);
}

/// The tree of increasing keys whose fields stand in this order, without its values.
template <class Key>
CsfTensor NonzeroList::tree_of(const std::vector<int>& mode_order, const LargeVector<Key>& keys,
                               double long_fibre) const {
  CsfTensor tree;
  tree.mode_order_ = mode_order;
  const std::size_t depth = mode_order.size(), count = keys.size();
  const std::vector<int> shift_of = shifts(bits_, mode_order);
  const auto shift = [&](std::size_t level) { return shift_of[static_cast<std::size_t>(mode_order[level])]; };
  const auto mask = [&](std::size_t level) {
    return field_mask<Key>(bits_[static_cast<std::size_t>(mode_order[level])]);
  };
  // Fields of no bits may begin one past the key; nothing is above them, and nothing in them.
  const auto prefix = [&](Key key, std::size_t level) {
    return shift(level) >= static_cast<int>(8 * sizeof(Key)) ? Key{0} : static_cast<Key>(key >> shift(level));
  };
  const auto nodes_at = [&](std::size_t level) -> std::size_t {
    if (count == 0) return 0;
    return shift(level) >= static_cast<int>(8 * sizeof(Key)) ? 1 : 1 + steps_of(keys.data(), count, shift(level));
  };
  // The root is always merged; then as long as a node has enough nonzeros.
  std::vector<std::size_t> nodes{nodes_at(0)};
  while (nodes.size() + 1 < depth) {
    const std::size_t next = nodes_at(nodes.size());
    if (static_cast<double>(count) < long_fibre * static_cast<double>(next)) break;
    nodes.push_back(next);
  }
  const std::size_t merged = nodes.size();
  nodes.resize(depth, count);
  for (std::size_t level = 0; level < depth; ++level) {
    tree.node_counts_.push_back(static_cast<Index>(nodes[level]));
    auto& ids = tree.ids_.emplace_back(nodes[level] + CsfTensor::kPrefetchPadding);
    std::fill(ids.begin() + static_cast<std::ptrdiff_t>(nodes[level]), ids.end(), 0);
    if (level < merged) tree.pointers_.emplace_back(nodes[level] + 1);
  }
  for (std::size_t first = 0; first < count; first += kTile)
    for (std::size_t level = merged; level < depth; ++level) {
      const Key field = mask(level);
      fields_of(keys.data() + first, std::min(kTile, count - first), field == 0 ? 0 : shift(level), field,
                tree.ids_[level].data() + first);
    }
  std::vector<std::uint32_t> next(merged + 1, 0);
  for (std::size_t k = 0; k < count; ++k) {
    const Key difference = k == 0 ? 0 : keys[k] ^ keys[k - 1];
    if (k > 0 && prefix(difference, merged - 1) == 0) continue;
    std::size_t level = 0;
    while (k > 0 && prefix(difference, level) == 0) ++level;
    for (; level < merged; ++level) {
      tree.pointers_[level][next[level]] = level + 1 < merged ? next[level + 1] : static_cast<std::uint32_t>(k);
      tree.ids_[level][next[level]++] = static_cast<std::uint32_t>(prefix(keys[k], level) & mask(level));
    }
  }
  for (std::size_t level = 0; level < merged; ++level)
    tree.pointers_[level][next[level]] = static_cast<std::uint32_t>(nodes[level + 1]);
  return tree;
}

}  // namespace tempera
