#include "core/io/detail/json_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"

namespace tempera::detail {

namespace {

using Json = nlohmann::ordered_json;

/// The word (letters and signs) around a position.
std::string word_at(std::string_view text, std::size_t at) {
  const auto belongs = [&](std::size_t i) {
    return std::isalnum(static_cast<unsigned char>(text[i])) != 0 || text[i] == '-' || text[i] == '+';
  };
  std::size_t first = std::min(at, text.size()), last = first;
  while (first > 0 && belongs(first - 1)) --first;
  while (last < text.size() && belongs(last)) ++last;
  return std::string(text.substr(first, last - first));
}

bool is_not_finite(std::string word) {
  for (char& letter : word) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  if (word.starts_with('-') || word.starts_with('+')) word.erase(0, 1);
  return word == "nan" || word == "na" || word == "inf" || word == "infinity";
}

Error syntax_error(const std::string& text, std::size_t byte, const std::string& origin, const std::string& form) {
  // `byte` counts the characters that were read. The last of them is the wrong one: it does not count as a line end.
  const std::size_t at = std::min(byte, text.size()) - (byte > 0 && !text.empty() ? 1 : 0);
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  const std::string where = fmt::format("{}:{}", origin, line);
  const std::string word = word_at(text, at);
  if (is_not_finite(word))
    return Error(Category::input, where, fmt::format("'{}' is not a number of JSON", word),
                 "leave out what is missing; densities need finite numbers");
  return Error(Category::input, where, "is not valid JSON here", form);
}

/// Notes the keys of every open object, to find one that comes twice: the parser would keep the last.
class KeyWatch {
 public:
  bool operator()(int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open_.emplace_back();
    if (event == Json::parse_event_t::object_end) open_.pop_back();
    if (event == Json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second &&
        repeated_.empty())
      repeated_ = parsed.get<std::string>();
    return true;
  }
  const std::string& repeated() const { return repeated_; }

 private:
  std::vector<std::set<std::string>> open_;
  std::string repeated_;
};

}  // namespace

Json parse_json(const std::string& text, const std::string& origin, const std::string& form) {
  KeyWatch watch;
  Json document;
  try {
    document = Json::parse(text, std::ref(watch));
  } catch (const Json::parse_error& error) {
    throw syntax_error(text, error.byte, origin, form);
  } catch (const nlohmann::json::exception& error) {
    const std::string reason = error.what();
    const std::size_t after_code = reason.find("] ");
    throw Error(
        Category::input, origin,
        fmt::format("is not valid JSON ({})", after_code == std::string::npos ? reason : reason.substr(after_code + 2)),
        form);
  }
  if (!watch.repeated().empty())
    throw Error(Category::input, origin, fmt::format("the key \"{}\" comes twice", watch.repeated()), form);
  return document;
}

}  // namespace tempera::detail
