#pragma once

#include <string_view>

namespace tempera::drivers {

/// Gives standard input, output and error a descriptor where the caller closed them, so that no file that is opened
/// later takes their number and gets what is printed; printing there then fails like on any closed stream.
void occupy_standard_streams();

/// Results: writes all of `text` to standard output.
/// @throws Error{environment} if that is not possible (closed, disk full)
void print_result(std::string_view text);

/// Messages: writes `text` to standard error as far as possible. Never fails, since there is nobody left to tell.
void print_message(std::string_view text) noexcept;

}  // namespace tempera::drivers
