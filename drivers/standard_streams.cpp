#include "drivers/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "core/base/system_error.hpp"

namespace tempera::drivers {

void occupy_standard_streams() {
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1) continue;
    // The lowest free number is taken, which is this one; the wrong direction makes its use an error.
    if (::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
  }
}

void print_result(std::string_view text) {
  if (const int problem = write_all(STDOUT_FILENO, text); problem != 0) throw write_error("standard output", problem);
}

void print_message(std::string_view text) noexcept {
  static_cast<void>(write_all(STDERR_FILENO, text));
}

}  // namespace tempera::drivers
