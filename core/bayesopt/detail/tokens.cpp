#include "core/bayesopt/detail/tokens.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace tempera::detail {

namespace {

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

bool begins_name(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || letter == '_' || (letter & 0x80) != 0;
}

bool continues_name(char letter) {
  return begins_name(letter) || is_digit(letter) || letter == '.';
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  Token next() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
    Token token;
    token.column = column();
    if (at_ == text_.size()) return token;
    const char first = text_[at_];
    if (begins_name(first)) {
      const std::size_t begin = at_;
      while (at_ < text_.size() && continues_name(text_[at_])) ++at_;
      token.kind = TokenKind::name;
      token.text = text_.substr(begin, at_ - begin);
    } else if (is_digit(first) || (first == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]))) {
      token.kind = TokenKind::number;
      token.value = number();
    } else if (first == '\'' || first == '"') {
      token.kind = TokenKind::text;
      token.value = quoted_text();
    } else {
      token.kind = TokenKind::symbol;
      token.text = symbol();
    }
    return token;
  }

 private:
  /// Of the next character. Counts what was read since the last call.
  std::size_t column() {
    column_ += static_cast<std::size_t>(display_width(text_.substr(counted_, at_ - counted_)));
    counted_ = at_;
    return column_;
  }

  nlohmann::json number() {
    const char* const begin = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    std::int64_t whole = 0;
    const auto as_whole = std::from_chars(begin, end, whole);
    double real = 0;
    const auto as_real = std::from_chars(begin, end, real);
    if (as_real.ec != std::errc() || !std::isfinite(real)) refuse_at(column(), "the number is too large or too small");
    const bool is_whole = as_whole.ec == std::errc() && as_whole.ptr == as_real.ptr;
    const std::size_t start = column();
    at_ += static_cast<std::size_t>(as_real.ptr - begin);
    if (at_ < text_.size() && continues_name(text_[at_]))
      refuse_at(start, fmt::format("'{}' is not a number",
                                   text_.substr(static_cast<std::size_t>(begin - text_.data()),
                                                at_ + 1 - static_cast<std::size_t>(begin - text_.data()))));
    return is_whole ? nlohmann::json(whole) : nlohmann::json(real);
  }

  std::string quoted_text() {
    const std::size_t start = column();
    const char quote = text_[at_++];
    std::string result;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      result += text_[at_++];
    }
    if (at_ == text_.size()) refuse_at(start, fmt::format("the text is not closed by {}", quote));
    ++at_;
    return result;
  }

  std::string symbol() {
    constexpr std::array<std::string_view, 21> kSymbols = {"<=", ">=", "==", "!=", "&&", "||", "<", ">", "!", "+", "-",
                                                           "*",  "/",  "^",  "%",  "(",  ")",  ",", "[", "]", "="};
    for (const std::string_view symbol : kSymbols) {
      if (!text_.substr(at_).starts_with(symbol)) continue;
      if (symbol == "=") refuse_at(column(), "a lone '='", "equality is written ==");
      at_ += symbol.size();
      return std::string(symbol);
    }
    if (text_[at_] == '&' || text_[at_] == '|')
      refuse_at(column(), fmt::format("a lone '{}'", text_[at_]), "'and' is written &&, 'or' is written ||");
    refuse_at(column(), fmt::format("unexpected character '{}'", text_[at_]));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t counted_ = 0;
  std::size_t column_ = 1;
};

}  // namespace

std::string Token::quoted() const {
  switch (kind) {
    case TokenKind::end: return "the end";
    case TokenKind::number: return fmt::format("'{}'", value.dump());
    case TokenKind::text: return fmt::format("the text '{}'", value.get<std::string>());
    default: return fmt::format("'{}'", text);
  }
}

void refuse_at(std::size_t column, const std::string& what_is_wrong, const std::string& hint) {
  throw Error(Category::input, "", fmt::format("{} at character {}", what_is_wrong, column), hint);
}

std::vector<Token> tokens_of(std::string_view text) {
  Scanner scanner(text);
  std::vector<Token> tokens;
  do tokens.push_back(scanner.next());
  while (tokens.back().kind != TokenKind::end);
  return tokens;
}

bool is_plain_name(std::string_view name) {
  if (name.empty() || !begins_name(name.front())) return false;
  for (const char letter : name)
    if (!continues_name(letter)) return false;
  return true;
}

}  // namespace tempera::detail
