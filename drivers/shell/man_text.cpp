#include "drivers/shell/man_text.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "core/base/text.hpp"

namespace tempera::drivers {

namespace {

/// The code point that begins at text[at], which moves to its last byte.
std::uint32_t code_point(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  const int more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
  std::uint32_t point = first & (0x3F >> more);
  for (int i = 0; i < more && at + 1 < text.size(); ++i) point = (point << 6) | (byte(++at) & 0x3F);
  return point;
}

/// A line that begins with a dot or an apostrophe would be a request.
std::string line_of(const std::string& text) {
  return (text.starts_with('.') || text.starts_with('\'') ? "\\&" : "") + text + "\n";
}

bool is_block(std::string_view line) {
  return line.starts_with("    ");
}
bool is_item(std::string_view line) {
  return line.starts_with("* ") || line.starts_with("- ");
}

}  // namespace

std::string man_text(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    switch (letter) {
      case '\\': result += "\\e"; break;
      case '-': result += "\\-"; break;
      case '\'': result += "\\(aq"; break;
      case '`': result += "\\(ga"; break;
      case '^': result += "\\(ha"; break;
      case '~': result += "\\(ti"; break;
      case '"': result += "\\(dq"; break;
      default:
        if (static_cast<unsigned char>(letter) < 0x80)
          result += letter;
        else
          result += fmt::format("\\[u{:04X}]", code_point(text, at));
    }
  }
  return result;
}

std::string man_inline(std::string_view markdown) {
  std::string result;
  bool bold = false;
  for (std::size_t at = 0; at < markdown.size();) {
    const std::size_t mark = markdown.find('`', at);
    const std::string_view piece = markdown.substr(at, mark == std::string_view::npos ? mark : mark - at);
    result += man_text(piece);
    if (mark == std::string_view::npos) break;
    result += bold ? "\\fR" : "\\fB";
    bold = !bold;
    at = mark + 1;
  }
  return result;
}

std::string man_body(std::string_view markdown) {
  enum class Place { text, block, item };
  std::string result;
  std::string paragraph;
  Place place = Place::text;
  bool after_heading = true;  // where a paragraph begins by itself
  const auto begin_paragraph = [&] {
    if (!after_heading) result += ".PP\n";
    after_heading = false;
  };
  const auto finish = [&] {
    if (!paragraph.empty()) result += line_of(man_inline(paragraph));
    if (place == Place::block) result += ".fi\n.RE\n";
    paragraph.clear();
    place = Place::text;
  };
  bool after_blank = false;
  for (const std::string_view line : split(markdown, '\n')) {
    const bool blank = line.empty();
    if (is_block(line)) {
      if (place != Place::block) {
        finish();
        begin_paragraph();
        result += ".RS 4\n.nf\n";
        place = Place::block;
      } else if (after_blank) {
        result += "\n";
      }
      result += line_of(man_text(line.substr(4)));
    } else if (line.starts_with("## ")) {
      finish();
      result += ".SH " + man_text(line.substr(3)) + "\n";
      after_heading = true;
    } else if (is_item(line)) {
      finish();
      result += ".IP \\(bu 2\n";
      paragraph = line.substr(2);
      place = Place::item;
      after_heading = false;
    } else if (!blank && !line.starts_with("# ")) {
      const bool goes_on = !paragraph.empty() && !after_blank;
      if (!goes_on) {
        finish();
        begin_paragraph();
      }
      const std::size_t begin = line.find_first_not_of(' ');
      paragraph += (goes_on ? " " : "") + std::string(line.substr(begin));
    }
    after_blank = blank;
  }
  finish();
  return result;
}

}  // namespace tempera::drivers
