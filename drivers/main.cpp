#include <fmt/format.h>

#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "drivers/commands/convert.hpp"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    if (!arguments.empty() && arguments.front() == "convert") return tempera::run_convert(std::span(arguments).subspan(1));
    throw tempera::Error(tempera::Category::usage, "", "no known command is given", "the commands are: convert");
  } catch (...) {
    const tempera::Error error = tempera::current_exception_as_error();
    fmt::print(stderr, "{}\n", error.message());
    return exit_status(error.category());
  }
}
