#pragma once

#include <span>
#include <string_view>

namespace tempera::drivers {

/// A page of the guide: drivers/guide/NAME.md, with its first heading.
struct GuidePage {
  std::string_view name;
  std::string_view heading;
  std::string_view text;
};

/// All pages by name, as they were when the executable was built.
std::span<const GuidePage> guide_pages();

}  // namespace tempera::drivers
