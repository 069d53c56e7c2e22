#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/base/contract.hpp"
#include "core/io/tns.hpp"

namespace tempera {

namespace {
constexpr std::uint64_t kNoLimit = static_cast<std::uint64_t>(std::numeric_limits<Index>::max());
constexpr std::ptrdiff_t kSafeDigits = 18;   // any 18 digits fit 63 bits
constexpr std::ptrdiff_t kExactDigits = 15;  // any 15 digits fit the 53 bits of a double exactly
constexpr std::size_t kShownField = 40;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_digit(char c) {
  return static_cast<unsigned char>(c - '0') <= 9;
}

/// A field of the file inside quotes, shortened, with unprintable bytes made visible.
std::string quoted(std::string_view field) {
  std::string text = "\"";
  for (char c : field.substr(0, kShownField)) {
    if (c >= ' ' && c <= '~')
      text += c;
    else
      text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  if (field.size() > kShownField) text += "…";
  return text + "\"";
}

std::vector<std::string_view> split_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t i = 0; i < line.size();) {
    if (is_blank(line[i])) {
      ++i;
      continue;
    }
    const std::size_t first = i;
    while (i < line.size() && !is_blank(line[i])) ++i;
    fields.push_back(line.substr(first, i - first));
  }
  return fields;
}

std::string counted(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

/// Why `field` is no index at all; empty if it is one that fits 63 bits.
std::string index_defect(std::string_view field, std::uint64_t& index) {
  const char* const end = field.data() + field.size();
  const auto [stopped, code] = std::from_chars(field.data(), end, index);
  if (stopped == end && code == std::errc())
    return index < kNoLimit ? "" : fmt::format("index {} does not fit 63 bits", field);
  if (std::all_of(field.begin(), field.end(), is_digit))
    return fmt::format("index {} does not fit 63 bits", quoted(field));
  double number = 0;
  const auto [number_end, number_code] = std::from_chars(field.data(), end, number);
  if (number_end != end || number_code != std::errc() || !std::isfinite(number))
    return quoted(field) + " is not an index";
  if (number < 0) return fmt::format("negative index {}", field);
  return fmt::format("index {} is not written as a whole number", field);
}
}  // namespace

struct TnsParser::Arrays {
  std::array<Index*, kMaximumOrder> indices{};
  double* values = nullptr;
  std::size_t count = 0;
};

TnsParser::TnsParser(TnsOptions options) : options_(std::move(options)) {
  if (options_.index_base < 0)
    throw Error(Category::usage, "--index-base", fmt::format("{} is negative", options_.index_base),
                "0 and 1 are usual");
  limit_.fill(kNoLimit - static_cast<std::uint64_t>(options_.index_base));
  if (!options_.dims.empty()) {
    check_shape(options_.dims, false);
    std::copy(options_.dims.begin(), options_.dims.end(), limit_.begin());
  }
}

std::vector<Index> TnsParser::extents() const {
  return {extent_.begin(), extent_.begin() + options_.order};
}

void TnsParser::fail(std::string what, std::string hint) {
  if (!error_) error_ = LineError{lines_ + 1, std::move(what), std::move(hint)};
}

TnsParser::Row TnsParser::wrong(std::string what, std::string hint) {
  fail(std::move(what), std::move(hint));
  return Row::wrong;
}

/// One pass over well-formed rows. Stops before the first line that is anything else: a comment, a blank line, a
/// number of more digits than the quick conversions take, or an error.
template <int order>
const char* TnsParser::parse_rows(const char* position, const char* const end, Arrays& arrays) {
  const auto base = static_cast<std::uint64_t>(options_.index_base);
  std::array<std::uint64_t, order> limit, extent;
  std::copy_n(limit_.begin(), order, limit.begin());
  std::copy_n(extent_.begin(), order, extent.begin());
  std::size_t count = arrays.count;
  const char* line = position;
  while (line != end) {
    const char* p = line;
    while (is_blank(*p)) ++p;
    bool good = true;
    for (int mode = 0; mode < order; ++mode) {
      const char* const first = p;
      std::uint64_t index = 0;
      for (unsigned digit; (digit = static_cast<unsigned char>(*p) - unsigned{'0'}) <= 9; ++p)
        index = index * 10 + digit;
      const std::ptrdiff_t digits = p - first;
      index -= base;  // below the base it wraps round and fails the limit
      if (digits == 0 || digits > kSafeDigits || index >= limit[static_cast<std::size_t>(mode)] || !is_blank(*p)) {
        good = false;
        break;
      }
      auto& top = extent[static_cast<std::size_t>(mode)];
      top = std::max(top, index + 1);
      arrays.indices[static_cast<std::size_t>(mode)][count] = static_cast<Index>(index);
      do ++p;
      while (is_blank(*p));
    }
    if (!good) break;
    const char* const first = p;
    std::uint64_t whole = 0;
    for (unsigned digit; (digit = static_cast<unsigned char>(*p) - unsigned{'0'}) <= 9; ++p) whole = whole * 10 + digit;
    double value = static_cast<double>(whole);
    if (*p > '\r' || p == first || p - first > kExactDigits) {
      const auto [stopped, code] = std::from_chars(first, end, value);
      if (code != std::errc() || !std::isfinite(value)) break;
      p = stopped;
    }
    while (is_blank(*p)) ++p;
    if (*p == '\r') ++p;
    if (*p != '\n') break;
    arrays.values[count++] = value;
    ++lines_;
    line = p + 1;
  }
  // A row that was given up half way may have raised an extent: it is parsed again, and either counts or is an error.
  std::copy_n(extent.begin(), order, extent_.begin());
  arrays.count = count;
  return line;
}

bool TnsParser::set_order(std::size_t columns) {
  const char* rule = "a data line is one index a mode, then the value; there is no header with sizes";
  const auto order = static_cast<Index>(columns) - 1;
  if (order < kMinimumOrder || order > kMaximumOrder) {
    wrong(fmt::format("{} would be a tensor of order {}; orders {} to {} are supported", counted(columns, "column"),
                      std::max<Index>(order, 0), kMinimumOrder, kMaximumOrder),
          rule);
    return false;
  }
  if (!options_.dims.empty() && order != static_cast<Index>(options_.dims.size())) {
    wrong(fmt::format("{} would be a tensor of order {}, but {} were declared", counted(columns, "column"), order,
                      counted(options_.dims.size(), "size")),
          "give --dims one size a mode");
    return false;
  }
  options_.order = static_cast<int>(order);
  return true;
}

TnsParser::Row TnsParser::parse_row_carefully(std::string_view line, std::span<Index> coordinates, double& value) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  const auto fields = split_fields(line);
  if (fields.empty() || fields.front().front() == '#') return Row::skipped;
  if (fields.front().starts_with(kByteOrderMark))
    return wrong("the line begins with a UTF-8 byte-order mark", "save the file as plain text, without a BOM");
  if (options_.order == 0) {
    std::uint64_t ignored = 0;
    if (is_digit(fields.front().front()) || index_defect(fields.front(), ignored).empty() ||
        fields.size() > kMinimumOrder) {
      if (!set_order(fields.size())) return Row::wrong;
    } else {
      return wrong(fmt::format("column 1: {}", index_defect(fields.front(), ignored)),
                   "a data line is one index a mode, then the value; comments begin with #");
    }
  }
  const auto order = static_cast<std::size_t>(options_.order);
  if (fields.size() != order + 1)
    return wrong(fmt::format("{}, but the first data line has {}", counted(fields.size(), "column"), order + 1),
                 fmt::format("every data line of a tensor of order {} has {} indices and a value", order, order));
  for (std::size_t mode = 0; mode < order; ++mode) {
    std::uint64_t index = 0;
    if (const auto defect = index_defect(fields[mode], index); !defect.empty())
      return wrong(fmt::format("column {}: {}", mode + 1, defect), "indices are whole numbers; comments begin with #");
    const auto base = static_cast<std::uint64_t>(options_.index_base);
    if (index < base)
      return wrong(fmt::format("column {}: index {} in a file whose indices begin at {}", mode + 1, index, base),
                   "pass --index-base 0 if the first index of each mode is 0 in this file");
    if (index - base >= limit_[mode])
      return wrong(options_.dims.empty() ? fmt::format("column {}: index {} does not fit 63 bits", mode + 1, index)
                                         : fmt::format("column {}: index {} is beyond the declared size {}", mode + 1,
                                                       index, limit_[mode]),
                   "enlarge --dims, or leave it out to take the sizes from the file");
    coordinates[mode] = static_cast<Index>(index - base);
  }
  std::string_view text = fields[order];
  if (text.size() > 1 && text.front() == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [stopped, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code == std::errc::result_out_of_range && stopped == text.data() + text.size())
    return wrong(
        fmt::format("column {}: the value {} is outside the range of a double", order + 1, quoted(fields[order])),
        "rescale the data");
  if (code != std::errc() || stopped != text.data() + text.size())
    return wrong(fmt::format("column {}: {} is not a number", order + 1, quoted(fields[order])),
                 "comments begin with #");
  if (!std::isfinite(value))
    return wrong(
        fmt::format("column {}: the value is {}", order + 1, fields[order]),
        "leave the line out: absent entries count as zeros, with decompose --missing unobserved as missing cells");
  return Row::parsed;
}

void TnsParser::parse(std::string_view lines, TnsChunk& chunk) {
  TEMPERA_EXPECTS(error_ || lines.empty() || lines.back() == '\n');
  const char* position = lines.data();
  const char* const end = position + lines.size();
  while (!error_ && position != end) {
    if (options_.order != 0) {
      // The shortest row is a digit and a separator a column.
      const auto order = static_cast<std::size_t>(options_.order);
      const std::size_t most = chunk.count_ + static_cast<std::size_t>(end - position) / (2 * (order + 1)) + 1;
      Arrays arrays;
      if (chunk.values_.size() < most) chunk.values_.resize(most);
      for (std::size_t mode = 0; mode < order; ++mode) {
        if (chunk.indices_[mode].size() < most) chunk.indices_[mode].resize(most);
        arrays.indices[mode] = chunk.indices_[mode].data();
      }
      chunk.order_ = options_.order;
      arrays.values = chunk.values_.data();
      arrays.count = chunk.count_;
      switch (options_.order) {
        case 2: position = parse_rows<2>(position, end, arrays); break;
        case 3: position = parse_rows<3>(position, end, arrays); break;
        case 4: position = parse_rows<4>(position, end, arrays); break;
        case 5: position = parse_rows<5>(position, end, arrays); break;
        case 6: position = parse_rows<6>(position, end, arrays); break;
        case 7: position = parse_rows<7>(position, end, arrays); break;
        default: position = parse_rows<8>(position, end, arrays); break;
      }
      nonzeros_ += static_cast<Index>(arrays.count - chunk.count_);
      chunk.count_ = arrays.count;
      if (position == end) return;
    }
    const char* const newline = std::find(position, end, '\n');
    std::array<Index, kMaximumOrder> coordinates{};
    double value = 0;
    const Row row = parse_row_carefully({position, static_cast<std::size_t>(newline - position)}, coordinates, value);
    if (row == Row::wrong) break;
    if (row == Row::parsed) {
      chunk.order_ = options_.order;
      for (std::size_t mode = 0; mode < static_cast<std::size_t>(options_.order); ++mode) {
        if (chunk.indices_[mode].size() <= chunk.count_) chunk.indices_[mode].resize(chunk.count_ + 1);
        chunk.indices_[mode][chunk.count_] = coordinates[mode];
        extent_[mode] = std::max(extent_[mode], static_cast<std::uint64_t>(coordinates[mode]) + 1);
      }
      if (chunk.values_.size() <= chunk.count_) chunk.values_.resize(chunk.count_ + 1);
      chunk.values_[chunk.count_++] = value;
      ++nonzeros_;
    }
    ++lines_;
    position = newline + 1;
  }
  lines_ += std::count(position, end, '\n');
}

}  // namespace tempera
