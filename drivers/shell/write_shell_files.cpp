// write_shell_files FOLDER: completion and man pages as FOLDER/share/..., where an installation has them.
#include <fmt/format.h>

#include <exception>
#include <filesystem>
#include <fstream>
#include <string>

#include "core/base/build_info.hpp"
#include "drivers/guide/guide.hpp"
#include "drivers/shell/bash_completion.hpp"
#include "drivers/shell/man_page.hpp"
#include "drivers/shell/zsh_completion.hpp"

namespace {

namespace fs = std::filesystem;
using namespace tempera::drivers;

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw fs::filesystem_error("cannot be written", path, std::error_code());
}

void write_all(const fs::path& share) {
  const std::string_view version = tempera::build_info().version;
  const auto commands = command_pages();
  fs::remove_all(share / "man");  // of commands and topics that are no more
  write(share / "bash-completion/completions/tempera", bash_completion(commands));
  write(share / "zsh/site-functions/_tempera", zsh_completion(commands));
  write(share / "man/man1/tempera.1", man_page_of_tempera(commands, version));
  for (const CommandPage& command : commands)
    write(share / fmt::format("man/man1/tempera-{}.1", command.name), man_page_of_command(command, version));
  for (const GuidePage& page : guide_pages())
    write(share / fmt::format("man/man7/tempera-{}.7", page.name), man_page_of_topic(page, version));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 2) {
    fmt::print(stderr, "usage: write_shell_files FOLDER\n");
    return 2;
  }
  write_all(fs::path(argv[1]) / "share");
  return 0;
} catch (const std::exception& problem) {
  fmt::print(stderr, "write_shell_files: error: {}\n", problem.what());
  return 5;
}
