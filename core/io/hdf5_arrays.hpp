#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

enum class ArrayType { float64, int64, uint64 };  ///< all of 8 bytes, in the byte order of this machine

/// A matrix of a file of arrays.
struct ArraySpec {
  std::string name;  ///< path in the file, "/factors/0"
  ArrayType type = ArrayType::float64;
  Index rows = 0;
  Index columns = 0;
};

/// Creates an HDF5 file with room for contiguous arrays and returns where in the file the data of each begin, in bytes
/// (row after row; −1 for an array without cells). Any number of processes may then write disjoint parts of the data
/// with plain pwrite: no call of the library is collective, so one that fails leaves no other waiting in it.
/// The data are not defined until they are written. Equal arrays give equal files.
/// @throws Error{environment} when the disk has no room for all arrays; nothing is left behind then
std::vector<Index> create_hdf5_arrays(const std::filesystem::path& path, std::span<const ArraySpec> arrays);

}  // namespace tempera
