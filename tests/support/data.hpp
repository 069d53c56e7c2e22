#pragma once

#include <filesystem>
#include <string>

namespace tempera::test {

/// A file of the real data sets, or an empty path where they are absent (the test then says "skipped").
std::filesystem::path data_file(const std::string& name);

/// Fresh empty folder below the system's temporary folder, removed with everything in it on destruction.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// Writes `text` to a file and returns its path.
std::filesystem::path write_text(const std::filesystem::path& path, const std::string& text);
std::string read_text(const std::filesystem::path& path);

}  // namespace tempera::test

/// Ends the running test as skipped, saying which data file is missing.
#define TEMPERA_REQUIRE_DATA(variable, name)                               \
  const std::filesystem::path variable = ::tempera::test::data_file(name); \
  if (variable.empty()) GTEST_SKIP() << "real data absent: " << (name)
