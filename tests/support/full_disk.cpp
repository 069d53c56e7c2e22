#include "tests/support/full_disk.hpp"

#include <sys/mount.h>

#include <fstream>
#include <string>

namespace tempera::test {

SmallDisk::SmallDisk(const char* size)
    : mounted_(::mount("none", folder_.path().c_str(), "tmpfs", 0, (std::string("size=") + size).c_str()) == 0) {}

SmallDisk::~SmallDisk() {
  if (mounted_) ::umount2(folder_.path().c_str(), MNT_DETACH);
}

void SmallDisk::fill() {
  std::ofstream file(folder_ / "filler", std::ios::binary);
  const std::string page(4096, 'x');
  while (file.write(page.data(), 4096).flush()) {
  }
}

void SmallDisk::clear() {
  std::filesystem::remove(folder_ / "filler");
}

}  // namespace tempera::test
