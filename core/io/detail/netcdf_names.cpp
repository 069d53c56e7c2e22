#include "core/io/detail/netcdf_names.hpp"

#include <fmt/format.h>

namespace tempera::detail {

namespace {
constexpr std::size_t kLongestName = 255;  // of 256 the library writes, but does not find again

/// Length of the UTF-8 sequence at the beginning of `text`, 0 if it is none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t k) { return static_cast<unsigned>(static_cast<unsigned char>(text[k])); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  for (std::size_t k = 1; k < length; ++k)
    if ((byte(k) & 0xC0U) != 0x80U) return 0;
  // Too long a form, half of a surrogate pair, beyond the last code point.
  const unsigned second = byte(1);
  const bool wrong = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                     (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return wrong ? 0 : length;
}

}  // namespace

std::string netcdf_name_problem(std::string_view name) {
  if (name.empty()) return "is empty";
  if (name.size() > kLongestName) return fmt::format("is longer than {} bytes", kLongestName);
  for (std::size_t at = 0, length = 0; at < name.size(); at += length) {
    length = utf8_length(name.substr(at));
    if (length == 0) return "is not UTF-8";
    const auto byte = static_cast<unsigned char>(name[at]);
    if (byte == '/') return "holds '/'";
    if (byte < 0x20 || byte == 0x7F) return "holds a control character";
  }
  const auto first = static_cast<unsigned char>(name.front());
  const bool begins_well = (first >= '0' && first <= '9') || (first >= 'A' && first <= 'Z') ||
                           (first >= 'a' && first <= 'z') || first == '_' || first >= 0x80;
  if (!begins_well) return "begins with neither a letter, a digit nor '_'";
  return name.back() == ' ' ? "ends in a space" : "";
}

}  // namespace tempera::detail
