#pragma once

#include <string>
#include <string_view>

namespace tempera::detail {

/// Why NetCDF would not take a name, as "holds '/'", or nothing.
std::string netcdf_name_problem(std::string_view name);

}  // namespace tempera::detail
