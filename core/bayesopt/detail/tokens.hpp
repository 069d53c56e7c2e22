#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace tempera::detail {

enum class TokenKind { number, text, name, symbol, end };

/// A piece of an expression or condition.
struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;        ///< of a name or symbol
  nlohmann::json value;    ///< of a number (whole ones as integers) or text
  std::size_t column = 1;  ///< where it begins, in characters from 1
  bool is(std::string_view symbol) const { return kind == TokenKind::symbol && text == symbol; }
  bool is_word(std::string_view word) const { return kind == TokenKind::name && text == word; }
  /// "'<='", "the end"
  std::string quoted() const;
};

/// What an expression is refused with; whoever knows what it belongs to adds that.
[[noreturn]] void refuse_at(std::size_t column, const std::string& what_is_wrong, const std::string& hint = {});

/// Names are letters, digits, '_', '.' and all that is not ASCII, not beginning with a digit or '.'; texts stand in '…' or
/// "…", in which \ takes the next character as it is; numbers are decimal.
/// @return with an `end` token at the end
/// @throws Error{Category::input} for a character that begins none of them, an open quote, a number that is too large
std::vector<Token> tokens_of(std::string_view text);

/// Whether an expression can have it as a name.
bool is_plain_name(std::string_view name);

}  // namespace tempera::detail
