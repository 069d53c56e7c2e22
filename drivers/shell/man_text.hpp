#pragma once

#include <string>
#include <string_view>

namespace tempera::drivers {

// Text for man(7), in letters that every formatter knows.

/// Plain text: no letter of it acts, and every hyphen stays the one of the keyboard.
std::string man_text(std::string_view text);
/// Markdown within a paragraph: `code` and `**strong**` in bold, all else as it is.
std::string man_inline(std::string_view markdown);
/// A page of Markdown without its first heading: sections, paragraphs, lists, and indented blocks as they are.
std::string man_body(std::string_view markdown);

}  // namespace tempera::drivers
