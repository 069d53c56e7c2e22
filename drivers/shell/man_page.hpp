#pragma once

#include <span>
#include <string>
#include <string_view>

#include "drivers/guide/guide.hpp"
#include "drivers/shell/command_pages.hpp"

namespace tempera::drivers {

// Man pages in man(7), without a date: the same build gives the same bytes.

/// tempera(1): what there is.
std::string man_page_of_tempera(std::span<const CommandPage> commands, std::string_view version);
/// tempera-COMMAND(1): its options as `tempera COMMAND --help` explains them; of resume those of each kind of run.
std::string man_page_of_command(const CommandPage& command, std::string_view version);
/// tempera-TOPIC(7): a page of the guide.
std::string man_page_of_topic(const GuidePage& page, std::string_view version);

}  // namespace tempera::drivers
