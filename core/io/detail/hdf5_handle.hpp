#pragma once

#include <hdf5.h>

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/atomic_file.hpp"
#include "core/base/error.hpp"
#include "core/base/index.hpp"

/// Included by hdf5_*.cpp only: hdf5.h of the MPI build includes mpi.h.
namespace tempera::detail {

/// Bytes beside the data of a file: superblock, groups, chunk index of a small file.
inline constexpr double kHdf5Overhead = 65536;

/// Owner of any HDF5 identifier.
class Hdf5Handle {
 public:
  Hdf5Handle() = default;
  explicit Hdf5Handle(hid_t id) : id_(id) {}
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Hdf5Handle() { close(); }

  explicit operator bool() const { return id_ >= 0; }
  operator hid_t() const { return id_; }
  /// False if the library could not close it, which for a file means that data did not reach the disk.
  bool close();

 private:
  hid_t id_ = -1;
};

/// While it lives HDF5 prints no error stack; the caller's setting comes back afterwards.
class Hdf5Quiet {
 public:
  Hdf5Quiet();
  Hdf5Quiet(const Hdf5Quiet&) = delete;
  Hdf5Quiet& operator=(const Hdf5Quiet&) = delete;
  ~Hdf5Quiet();

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

/// File opened for reading, with the errors of reading it.
class Hdf5Input {
 public:
  explicit Hdf5Input(const std::filesystem::path& path);

  hid_t file() const { return file_; }
  bool exists(const std::string& object) const;
  bool is_group(const std::string& object) const;
  /// @throws Error{input} whose hint lists what the file holds
  Hdf5Handle open_dataset(const std::string& object) const;
  Error missing(const std::string& object) const;
  /// "FILE:OBJECT: what"
  Error error(const std::string& object, const std::string& what, const std::string& hint) const;
  /// Reads the selected part of `dataset`; a failure of the library becomes an Error naming it.
  void read(hid_t dataset, const std::string& object, hid_t type, hid_t memory, hid_t space, void* data) const;
  /// Refuses a dataset that has cells and no data: extents alone cost nothing, whatever they claim.
  /// Chunks of a dense tensor may be left out (they hold the fill value); a list has to be whole.
  enum class Completeness { anything, whole };
  void check_written(hid_t dataset, const std::string& object, Completeness wanted) const;
  /// Whole one-dimensional dataset of at most `most` integers, or of reals that fit the free memory.
  std::vector<Index> read_integers(const std::string& object, Index most) const;
  std::vector<double> read_reals(const std::string& object) const;

 private:
  Hdf5Quiet quiet_;
  std::filesystem::path path_;
  Hdf5Handle file_;
};

/// Where the library writes: to the disk, or to memory from which commit() copies what is no hole. A library whose
/// writes fail may be beyond closing the file and bring the process down at exit, so whoever goes on after an error and
/// writes little chooses memory.
enum class Hdf5Medium { disk, memory };

/// From here on the library writes an open file to memory; its descriptor, to be closed, or −1 with the reason in errno.
int point_at_memory(hid_t file);
/// The same for memory that begins as the file of that name, as written so far.
int move_to_memory(hid_t file, const std::filesystem::path& name);

/// New file under a temporary name, with the errors of writing it.
class Hdf5Output {
 public:
  /// @param bytes  about how much will be written: a disk without that much room is refused at once
  Hdf5Output(const std::filesystem::path& path, double bytes, Hdf5Medium medium = Hdf5Medium::disk);
  ~Hdf5Output();
  Hdf5Output(const Hdf5Output&) = delete;
  Hdf5Output& operator=(const Hdf5Output&) = delete;

  /// Throws Error{environment} for a negative code, after abandon().
  void check(long long code) const;
  /// From here on nothing reaches the disk; what is open can be closed whatever the state of the disk.
  void abandon() const;
  /// Writes what the library holds back. To be called before datasets are closed: closing reports no errors.
  void flush() const;
  Hdf5Handle create_group(const std::string& object) const;
  /// Groups on the way are made too. An empty chunk shape means contiguous storage.
  Hdf5Handle create_dataset(const std::string& object, hid_t type, std::span<const Index> shape,
                            std::span<const Index> chunk = {}) const;
  /// Contiguous, with its place in the file given out at once and nothing written there.
  Hdf5Handle create_reserved_dataset(const std::string& object, hid_t type, std::span<const Index> shape) const;
  void write_rows(hid_t dataset, hid_t type, std::span<const Index> first, std::span<const Index> count,
                  const void* data) const;
  void write_attribute(hid_t object, const char* name, std::span<const Index> values) const;
  void write_attribute(hid_t object, const char* name, Index value) const;
  void commit();

 private:
  void close();
  Hdf5Handle make_dataset(const std::string& object, hid_t type, std::span<const Index> shape, hid_t layout) const;

  Hdf5Quiet quiet_;
  AtomicFile output_;
  int memory_ = -1;  // its descriptor
  Hdf5Handle file_;
};

std::vector<Index> hdf5_shape(hid_t dataset);
bool is_hdf5_number(hid_t dataset, bool integers_only);
std::vector<hsize_t> hdf5_sizes(std::span<const Index> sizes);

/// Calls visit(first, count) for parts of a block, each of at most `most_cells` cells (one row of the last mode at
/// least) and together in C order without a gap.
void for_each_slab(std::span<const Index> extents, Index most_cells,
                   const std::function<void(std::span<const Index> first, std::span<const Index> count)>& visit);

}  // namespace tempera::detail
