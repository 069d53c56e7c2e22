#include "core/io/detail/npy_header.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <set>

#include "core/base/error.hpp"

namespace tempera::detail {

namespace {

class DictionaryParser {
 public:
  DictionaryParser(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  NpyHeader parse() {
    NpyHeader header;
    std::set<std::string> seen;
    expect('{');
    while (!accept('}')) {
      const std::string key = string_literal();
      expect(':');
      if (!seen.insert(key).second) malformed();
      if (key == "descr")
        set_type(header);
      else if (key == "fortran_order")
        header.fortran_order = boolean();
      else if (key == "shape")
        header.shape = tuple();
      else
        malformed();
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (position_ != text_.size() || seen.size() != 3) malformed();
    return header;
  }

 private:
  [[noreturn]] void malformed() const {
    throw Error(Category::input, file_, "the header of the .npy file is malformed", "write it again with numpy.save");
  }
  [[noreturn]] void refuse(const std::string& type) const {
    throw Error(Category::input, file_, fmt::format("holds {}, not plain numbers", type),
                "convert it to float64 before saving: numpy.save(path, array.astype('f8'))");
  }
  void skip_blanks() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\n')) ++position_;
  }
  bool accept(char wanted) {
    skip_blanks();
    if (position_ >= text_.size() || text_[position_] != wanted) return false;
    ++position_;
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted)) malformed();
  }
  bool accept_word(std::string_view word) {
    skip_blanks();
    if (text_.substr(position_, word.size()) != word) return false;
    position_ += word.size();
    return true;
  }
  std::string string_literal() {
    const char quote = accept('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const std::size_t end = text_.find(quote, position_);
    if (end == std::string_view::npos) malformed();
    const std::string value(text_.substr(position_, end - position_));
    position_ = end + 1;
    return value;
  }
  bool boolean() {
    if (accept_word("True")) return true;
    if (!accept_word("False")) malformed();
    return false;
  }
  std::vector<Index> tuple() {
    std::vector<Index> sizes;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      Index size = 0;
      const auto [stopped, code] = std::from_chars(text_.data() + position_, text_.data() + text_.size(), size);
      if (code != std::errc() || size < 0) malformed();
      position_ = static_cast<std::size_t>(stopped - text_.data());
      sizes.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }
  void set_type(NpyHeader& header) {
    skip_blanks();
    if (position_ < text_.size() && text_[position_] == '[') refuse("records of several fields");
    const std::string type = string_literal();
    constexpr std::array<std::string_view, 11> kKnown{"f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"};
    if (type.size() < 2) malformed();
    const std::string_view body = std::string_view(type).substr(1);
    if (body.front() == 'O') refuse("Python objects (type '" + type + "')");
    bool known = false;
    for (const auto name : kKnown) known = known || name == body;
    const int bytes = body.back() - '0';
    if (!known || std::string_view("<>|=").find(type[0]) == std::string_view::npos || (type[0] == '|' && bytes != 1))
      refuse("values of type '" + type + "'");
    header.item_bytes = bytes;
    header.big_endian = type[0] == '>';
    switch (body.front()) {
      case 'f': header.kind = NpyHeader::Kind::real; break;
      case 'i': header.kind = NpyHeader::Kind::signed_integer; break;
      case 'u': header.kind = NpyHeader::Kind::unsigned_integer; break;
      default: header.kind = NpyHeader::Kind::boolean; break;
    }
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t position_ = 0;
};

}  // namespace

NpyHeader parse_npy_dictionary(std::string_view text, const std::string& file) {
  return DictionaryParser(text, file).parse();
}

std::string npy_type_name(const NpyHeader& header) {
  const char letter = header.kind == NpyHeader::Kind::real               ? 'f'
                      : header.kind == NpyHeader::Kind::signed_integer   ? 'i'
                      : header.kind == NpyHeader::Kind::unsigned_integer ? 'u'
                                                                         : 'b';
  const char order = header.item_bytes == 1 ? '|' : header.big_endian ? '>' : '<';
  return fmt::format("{}{}{}", order, letter, header.item_bytes);
}

}  // namespace tempera::detail
