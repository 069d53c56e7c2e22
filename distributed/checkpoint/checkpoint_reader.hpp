#pragma once

#include <boost/archive/archive_exception.hpp>
#include <boost/serialization/version.hpp>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "distributed/checkpoint/checkpoint_writer.hpp"
#include "distributed/checkpoint/detail/object_archive.hpp"
#include "distributed/checkpoint/generation_index.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// A generation whose every byte has been verified. Made by CheckpointStore::open_newest, on any number of ranks.
class CheckpointReader {
 public:
  int generation() const { return index_.generation; }
  const RunIdentity& identity() const { return index_.identity; }
  const nlohmann::ordered_json& progress() const { return index_.progress; }

  /// Restores an object; every rank gets it. Local.
  /// @throws Error{input} if there is none of this name, Error{environment} naming both versions if a newer program
  ///         wrote it
  template <class T>
  void object(const std::string& name, T& value) const;

  bool has_object(const std::string& name) const;
  /// The same generation for some of the ranks, which read matrices whose names begin with `prefix` (left away by them).
  CheckpointReader within(const Communicator& group, std::string prefix) const;

  /// Shape and type of a matrix. Local. @throws Error{input} if there is none of this name
  const ArraySpec& array(const std::string& name) const { return rows_of(name).array; }
  /// Row wanted[k] goes to data + k·stride; several ranks may want the same row. Collective over the communicator that
  /// opened the generation, or over the group.
  /// @throws Error{input} for another type or number of columns than `columns`
  template <class T>
  void rows(const std::string& name, Index columns, std::span<const Index> wanted, T* data, Index stride) const {
    read_rows(name, detail::array_type<T>(), columns, wanted, reinterpret_cast<std::byte*>(data),
              static_cast<std::size_t>(stride) * sizeof(T));
  }
  /// All rows of `matrix`.
  void rows(const std::string& name, std::span<const Index> wanted, FactorMatrix& matrix) const {
    rows(name, matrix.columns(), wanted, matrix.data(), matrix.stride());
  }

  /// What was recorded of a segment, nullptr if it did not exist; see CheckpointSegment.
  const StoredFile* segment(const std::string& name) const;

 private:
  friend class CheckpointStore;
  CheckpointReader(const Communicator& ranks, std::filesystem::path folder, GenerationIndex index);

  const StoredObject& find_object(const std::string& name) const;
  const StoredRows& rows_of(const std::string& name) const;
  void read_rows(const std::string& name, ArrayType type, Index columns, std::span<const Index> wanted, std::byte* data,
                 std::size_t stride_bytes) const;
  Error error(Category category, const std::string& what, const std::string& hint) const;
  Error newer(const std::string& name, const std::string& versions) const;
  Error unreadable(const std::string& name, const std::exception& problem) const;

  Communicator ranks_;
  std::filesystem::path folder_;
  GenerationIndex index_;
  std::string prefix_;              // of the names of matrices
  std::vector<std::byte> objects_;  // all archives, on every rank
};

template <class T>
void CheckpointReader::object(const std::string& name, T& value) const {
  const StoredObject& stored = find_object(name);
  constexpr unsigned kKnown = boost::serialization::version<T>::value;
  if (stored.version > kKnown) throw newer(name, detail::newer_version_text(stored.version, kKnown));
  try {
    detail::load_object(
        std::span(objects_).subspan(static_cast<std::size_t>(stored.offset), static_cast<std::size_t>(stored.bytes)),
        value);
  } catch (const detail::NewerVersion& problem) {
    throw newer(name, problem.what());
  } catch (const boost::archive::archive_exception& problem) {
    if (problem.code == boost::archive::archive_exception::unsupported_version)
      throw newer(name, std::string("a newer version of what it contains (") + problem.what() + ")");
    throw unreadable(name, problem);
  } catch (const std::exception& problem) {  // lengths that mean nothing to this type
    throw unreadable(name, problem);
  }
}

}  // namespace tempera
