#include "core/base/system_error.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace tempera {

namespace {

std::string hint_for(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT: return "free some space, or write to another disk";
    case EACCES:
    case EPERM:
    case EROFS: return "choose a folder that you may write to";
    case ENOENT: return "the folder must exist";
    default: return {};
  }
}

}  // namespace

Error write_error(const std::filesystem::path& file, int error_number) {
  return Error(Category::environment, file.string(),
               fmt::format("cannot be written: {}", std::generic_category().message(error_number)),
               hint_for(error_number));
}

int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace tempera
