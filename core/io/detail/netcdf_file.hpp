#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/atomic_file.hpp"
#include "core/io/inference_data.hpp"

namespace tempera::detail {

struct NetcdfDimension {
  std::string name;
  Index size = 0;
};

struct NetcdfVariable {
  std::string name;
  InferenceVariable::Type type = InferenceVariable::Type::float64;
  std::vector<int> dimensions;  ///< by their place in the group
};

/// Group of a NetCDF-4 file that inherits nothing.
struct NetcdfGroup {
  std::string name;
  std::vector<NetcdfDimension> dimensions;
  std::vector<NetcdfVariable> variables;
  std::vector<InferenceAttribute> attributes;
};

/// Writes all of a NetCDF-4 file but the data, under output.temporary(), and returns where those of each variable of each
/// group begin, in bytes. They are contiguous in C order and not defined until they are written there. Equal arguments
/// give equal files.
/// @throws Error{environment} when the disk has no room for the whole
std::vector<std::vector<Index>> create_netcdf(const AtomicFile& output, std::span<const NetcdfGroup> groups,
                                              std::span<const InferenceAttribute> attributes);

}  // namespace tempera::detail
