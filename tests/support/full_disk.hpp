#pragma once

#include <filesystem>
#include <string>

#include "tests/support/data.hpp"

namespace tempera::test {

/// A file system in memory of a given size, to run out of space on. Mounting takes root: where it fails the test skips.
class SmallDisk {
 public:
  explicit SmallDisk(const char* size);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_mounted() const { return mounted_; }
  const std::filesystem::path& path() const { return folder_.path(); }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  /// Takes all the room that is left with one file, or gives it back.
  void fill();
  void clear();

 private:
  TemporaryFolder folder_;
  bool mounted_;
};

}  // namespace tempera::test

/// Ends the running test as skipped where a small disk cannot be mounted.
#define TEMPERA_REQUIRE_MOUNTED(disk) \
  if (!(disk).is_mounted()) GTEST_SKIP() << "mounting a small file system takes root"
