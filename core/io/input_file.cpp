#include "core/io/input_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace tempera {

Error input_file_error(const std::filesystem::path& path, int error_number) {
  const std::string name = path.string();
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Error(Category::input, name, "no such file", "check the path; it is relative to the working directory");
    case EISDIR: return Error(Category::input, name, "is a directory, not a file", "name a tensor file inside it");
    case EACCES:
    case EPERM:
      return Error(Category::environment, name, "no permission to read",
                   "change the permissions with chmod, or copy the file");
    default:
      return Error(Category::environment, name,
                   fmt::format("cannot read: {}", std::generic_category().message(error_number)),
                   "check the file system that holds it");
  }
}

std::int64_t check_input_file(const std::filesystem::path& path) {
  // O_NONBLOCK: a FIFO without a writer would block for ever in open.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) throw input_file_error(path, errno);
  struct stat status {};
  const int failed = ::fstat(descriptor, &status) != 0 ? errno : 0;
  ::close(descriptor);
  if (failed != 0) throw input_file_error(path, failed);
  if (S_ISDIR(status.st_mode)) throw input_file_error(path, EISDIR);
  if (!S_ISREG(status.st_mode))
    throw Error(Category::input, path.string(), "is not a regular file",
                "pipes and devices cannot be read in parts: save it to a file");
  if (status.st_size == 0)
    throw Error(Category::input, path.string(), "the file is empty", "check that it was written completely");
  return static_cast<std::int64_t>(status.st_size);
}

}  // namespace tempera
