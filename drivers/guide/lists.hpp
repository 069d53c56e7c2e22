#pragma once

#include <string>

#include "drivers/guide/guide.hpp"

namespace tempera::drivers {

/// A page as `tempera help` prints it: its text, and below that of "targets", "explorers" and "objectives" the list of what this
/// executable has, from where it is defined.
std::string page_text(const GuidePage& page);

}  // namespace tempera::drivers
