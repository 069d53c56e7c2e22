#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace tempera::drivers {

/// What the last lines of a progress.jsonl say.
struct ProgressTail {
  nlohmann::ordered_json step;  ///< the last step's own fields (plain values only); empty if there is none
  std::optional<double> seconds_per_iteration;  ///< over the last steps of this part of the run
};

/// Reads at most the last 64 KiB of the file, and of those the lines that are whole. An absent or unreadable file has
/// no steps.
ProgressTail read_progress_tail(const std::filesystem::path& file);

/// The last whole line of a file, of those that end within its last 64 KiB; empty if there is none.
std::string last_line(const std::filesystem::path& file);

/// What can be shown of an object that may hold anything: its numbers, texts and truth values.
nlohmann::ordered_json plain_values(const nlohmann::ordered_json& object);

std::optional<double> number_in(const nlohmann::ordered_json& object, const char* key);
std::optional<std::int64_t> integer_in(const nlohmann::ordered_json& object, const char* key);
/// Empty if it is absent or no text; control characters, which could steer a terminal, become blanks.
std::string text_in(const nlohmann::ordered_json& object, const char* key);
std::string printable(std::string text);

}  // namespace tempera::drivers
