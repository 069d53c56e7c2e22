#pragma once

#include <string>
#include <string_view>

#include "core/io/npy.hpp"

namespace tempera::detail {

/// Reads the text of the header, a Python dictionary with exactly the keys descr, fortran_order and shape, into all
/// fields of NpyHeader but data_offset. `file` names the file in errors.
NpyHeader parse_npy_dictionary(std::string_view text, const std::string& file);

/// "<f8" and so on, as NumPy names it.
std::string npy_type_name(const NpyHeader& header);

}  // namespace tempera::detail
