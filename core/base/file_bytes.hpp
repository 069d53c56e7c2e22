#pragma once

#include <filesystem>
#include <string>

namespace tempera {

/// All bytes of a file; none if it cannot be read.
std::string file_bytes(const std::filesystem::path& path);

}  // namespace tempera
