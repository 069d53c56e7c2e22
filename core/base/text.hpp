#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// "512 B", "1.50 KiB", "3.25 GiB": binary units, three significant digits.
std::string human_bytes(double bytes);
/// "850 us", "12.5 ms", "3.21 s", "2 min 05 s", "3 h 07 min", "2 d 04 h". @pre seconds ≥ 0
std::string human_duration(double seconds);
/// 12345678 as "12 345 678".
std::string human_count(std::int64_t count);

/// Fewest insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`; O(|a|·|b|).
int edit_distance(std::string_view a, std::string_view b);
/// The candidate a person most likely meant: the nearest within a third of the letters (at least one edit), or the
/// only one that begins with `name`. First one wins a tie.
std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates);

/// Parts between separators, empty ones too; never an empty list.
std::vector<std::string_view> split(std::string_view text, char separator);
/// Now, as 2026-01-31T12:34:56Z.
std::string utc_time();

/// Columns that UTF-8 text takes on a terminal, one a code point.
int display_width(std::string_view text);
enum class TableColumns { left, right };
/// Rows of equally many cells, one a line, two blanks before each cell. The first column is aligned to the left, the others
/// as asked.
std::string text_table(std::span<const std::vector<std::string>> rows, TableColumns others);
/// Breaks at spaces so that no line is wider than `width` (a longer word stays whole); never returns an empty list.
std::vector<std::string> wrap_words(std::string_view text, int width);

}  // namespace tempera
