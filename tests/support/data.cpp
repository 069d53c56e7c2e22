#include "tests/support/data.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace tempera::test {

std::filesystem::path data_file(const std::string& name) {
  const char* folder = std::getenv("TEMPERA_DATA_DIR");
  const std::filesystem::path root = folder != nullptr ? folder : TEMPERA_SOURCE_DIR "/../shared/data";
  const std::filesystem::path file = root / name;
  return std::filesystem::exists(file) ? file : std::filesystem::path();
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "tempera-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot create " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace tempera::test
