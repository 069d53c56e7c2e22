#include "core/io/detail/output_room.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/base/system_error.hpp"
#include "core/base/text.hpp"

namespace tempera::detail {

void check_room(const AtomicFile& output, double bytes) {
  const std::filesystem::path& path = output.destination();
  struct statvfs room {};
  if (::statvfs(output.temporary().c_str(), &room) == 0) {
    const double free_bytes = static_cast<double>(room.f_bavail) * static_cast<double>(room.f_frsize);
    if (free_bytes < bytes)
      throw Error(Category::environment, path.string(),
                  fmt::format("cannot be written: about {} are needed, {} are free", human_bytes(bytes),
                              human_bytes(free_bytes)),
                  write_error(path, ENOSPC).hint());
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      static_cast<double>(limit.rlim_cur) < bytes)
    throw write_error(path, EFBIG);
}

int copy_data(int from, int to) {
  std::vector<char> block(std::size_t{64} << 10);
  const off_t size = ::lseek(from, 0, SEEK_END);
  if (size < 0 || ::ftruncate(to, size) != 0) return errno;
  for (off_t begin = ::lseek(from, 0, SEEK_DATA); begin >= 0; begin = ::lseek(from, begin, SEEK_DATA)) {
    for (const off_t end = ::lseek(from, begin, SEEK_HOLE); begin < end;) {
      const auto wanted = std::min<std::size_t>(block.size(), static_cast<std::size_t>(end - begin));
      const ssize_t count = ::pread(from, block.data(), wanted, begin);
      if (count <= 0 || ::lseek(to, begin, SEEK_SET) < 0) return count == 0 ? EIO : errno;
      if (const int problem = write_all(to, {block.data(), static_cast<std::size_t>(count)}); problem != 0)
        return problem;
      begin += count;
    }
  }
  return errno == ENXIO ? 0 : errno;  // no more data
}

int copy_data(int from, const std::filesystem::path& to) {
  const int file = ::open(to.c_str(), O_WRONLY | O_CLOEXEC);
  int problem = file < 0 ? errno : copy_data(from, file);
  if (file >= 0 && ::close(file) != 0 && problem == 0) problem = errno;
  return problem;
}

}  // namespace tempera::detail
