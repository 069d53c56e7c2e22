#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "core/base/index.hpp"
#include "core/tensor/csf_tensor.hpp"
#include "core/tensor/sparse_tensor.hpp"

namespace tempera {

/// The nonzeros of one process on their way into CSF trees: one packed key and one value each.
///
/// The key holds the local indices of all modes, ⌈log2 I_n⌉ bits each, in 64 bits where they fit (16 bytes a nonzero)
/// and in 128 bits otherwise (32 bytes). The fields stand in the order of increasing sizes and are sorted once (with
/// room for a second copy meanwhile); a tree with another root takes one counting sort by that mode. Building a tree takes
/// room for the keys in its order, 8 or 16 bytes a nonzero.
class NonzeroList {
 public:
  /// Room for `count` nonzeros of a local shape, all zero; fill with set_mode and set_values.
  /// @throws Error{environment} for more than 2^32 − 1 nonzeros on one rank or a mode of more than 2^32 local indices
  NonzeroList(std::vector<Index> shape, Index count);

  /// All of a tensor whose global indices are the local ones; duplicates are summed.
  explicit NonzeroList(const SparseTensor& tensor);

  int order() const { return static_cast<int>(shape_.size()); }
  Index size() const;
  const std::vector<Index>& shape() const { return shape_; }
  /// Of the keys and values.
  std::size_t bytes() const;
  /// Modes by increasing size at first; trees in this order, or with one mode moved to the root, are the fastest to
  /// build.
  const std::vector<int>& mode_order() const { return mode_order_; }

  /// Sets the indices of the nonzeros from `first` on in one mode. Each is set exactly once. @pre they are there
  void set_mode(int mode, Index first, std::span<const std::uint32_t> indices);
  void set_values(Index first, std::span<const double> values);

  /// Adds nonzeros with equal coordinates, in increasing order of value. @return how many were merged away
  Index sum_duplicates();

  /// Sorts for this order of modes (root first) and builds the tree. @pre sum_duplicates() was called
  /// @param long_fibre  nonzeros a node from which on a level is merged; see CsfTensor
  CsfTensor build(const std::vector<int>& mode_order, double long_fibre = CsfTensor::kLongFibre);

 private:
  template <class Key>
  struct Entry {
    Key key;
    double value;
  };
  using Narrow = LargeVector<Entry<std::uint64_t>>;
  __extension__ typedef unsigned __int128 WideKey;  // GCC and Clang; not ISO C++
  using Wide = LargeVector<Entry<WideKey>>;

  int total_bits() const;
  void reorder(const std::vector<int>& mode_order);
  template <class Key>
  void root_keys(int mode, LargeVector<Key>& keys, LargeVector<double>& values);
  template <class Key>
  CsfTensor tree_of(const std::vector<int>& mode_order, const LargeVector<Key>& keys, double long_fibre) const;

  std::vector<Index> shape_;
  std::vector<int> bits_;        ///< width of each mode's field
  std::vector<int> mode_order_;  ///< order of the fields now, most significant first
  std::variant<Narrow, Wide> entries_;
  std::variant<LargeVector<std::uint64_t>, LargeVector<WideKey>> keys_;  ///< of the tree at hand; kept for the next
  LargeVector<std::uint32_t> places_;                                    ///< the same
};

}  // namespace tempera
