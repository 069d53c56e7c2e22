#pragma once

#include <boost/serialization/version.hpp>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "core/tensor/factor_matrix.hpp"
#include "distributed/checkpoint/checkpoint_segment.hpp"
#include "distributed/checkpoint/generation_index.hpp"
#include "distributed/communicator/archive.hpp"

namespace tempera {

namespace detail {
template <class T>
constexpr ArrayType array_type() {
  static_assert(std::is_same_v<T, double> || std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::uint64_t>);
  if constexpr (std::is_same_v<T, double>) return ArrayType::float64;
  if constexpr (std::is_same_v<T, std::int64_t>) return ArrayType::int64;
  return ArrayType::uint64;
}
}  // namespace detail

/// Takes the named parts of an engine's state. All ranks name the same parts in the same order; what is handed over
/// must live until CheckpointStore::write returns.
class CheckpointWriter {
 public:
  /// Small state that is the same on all ranks: the copy of rank 0 is stored, with the version of its class
  /// (BOOST_CLASS_VERSION). Anything that Boost.Serialization can write.
  template <class T>
  void object(const std::string& name, const T& value) {
    add_object(name, boost::serialization::version<T>::value,
               is_root_ ? to_bytes(value, ArchiveUse::file) : std::vector<std::byte>());
  }

  /// A matrix of `total_rows` × `columns` of which this rank has the rows `mine`, increasing; row k begins at
  /// data + k·stride. No row is on two ranks; rows on none become zero. T: double, std::int64_t, std::uint64_t.
  template <class T>
  void rows(const std::string& name, Index total_rows, Index columns, std::span<const Index> mine, const T* data,
            Index stride) {
    add_rows({name, detail::array_type<T>(), total_rows, columns}, mine, reinterpret_cast<const std::byte*>(data),
             static_cast<std::size_t>(stride) * sizeof(T));
  }
  /// Rows first_row … of `matrix`, as many as `mine` names.
  void rows(const std::string& name, Index total_rows, std::span<const Index> mine, const FactorMatrix& matrix,
            Index first_row = 0) {
    rows(name, total_rows, matrix.columns(), mine, matrix.data() + first_row * matrix.stride(), matrix.stride());
  }

  /// Matrices (of doubles) that only some of the ranks have. `name_parts` names those of this rank's group, the same on
  /// all its ranks or none, in any number; they are stored with `prefix` before their names, which no other group uses.
  /// Collective over `ranks`, those that write the generation.
  void rows_of_groups(const Communicator& ranks, const std::string& prefix,
                      const std::function<void(CheckpointWriter&)>& name_parts);

  /// The first `length` bytes of a segment, all of which some rank has written.
  void segment(CheckpointSegment& segment, std::int64_t length);

 private:
  friend class CheckpointStore;
  struct Rows {
    ArraySpec array;
    std::span<const Index> mine;
    const std::byte* data;
    std::size_t stride_bytes;
  };
  struct Object {
    std::string name;
    unsigned version;
    std::vector<std::byte> bytes;
  };
  struct Segment {
    CheckpointSegment* segment;
    std::int64_t length;
  };

  explicit CheckpointWriter(bool is_root) : is_root_(is_root) {}
  void add_object(const std::string& name, unsigned version, std::vector<std::byte> bytes);
  void add_rows(ArraySpec array, std::span<const Index> mine, const std::byte* data, std::size_t stride_bytes);
  /// Each writes its file into the folder of the new generation and its part of the index. Collective.
  void write_arrays(const Communicator& ranks, const std::filesystem::path& folder, GenerationIndex& index) const;
  void commit_segments(const Communicator& ranks, GenerationIndex& index) const;
  /// On rank 0.
  void write_objects(const std::filesystem::path& folder, GenerationIndex& index) const;

  bool is_root_;
  std::vector<Object> objects_;
  std::vector<Rows> rows_;
  std::vector<Segment> segments_;
};

}  // namespace tempera
