#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bayesopt/space.hpp"

namespace tempera {

/// Words of a command by the quoting rules of a POSIX shell: blanks separate, '…' keeps all, "…" keeps all but \ before one of
/// $ ` " \ and a new line, \ keeps the next character. Nothing is expanded: $, * and | are characters like others.
/// @throws Error{usage} for an open quote, a \ at the end, no word
std::vector<std::string> split_command(std::string_view text);

/// @param folder  where it is to be started; empty: the working directory
/// @throws Error{usage} for a program that is not found, is a folder or cannot be executed
void check_program(const std::string& program, const std::filesystem::path& folder = {});

/// An external command that tries points: its words, in which {name} stands for the value of that parameter.
class TrialCommand {
 public:
  /// @throws Error{usage} for what split_command refuses, a {name} that is nearly a parameter's, and a program that is not
  ///         found, is a folder or cannot be executed (unless its name depends on the point)
  /// @param folder  as for check_program
  TrialCommand(std::string_view text, const Space& space, const std::filesystem::path& folder = {});

  /// The words for a point: values as in JSON, texts without quotes, nothing for a parameter that is not active. Other
  /// braces stay, and {{name}} is {name}.
  std::vector<std::string> arguments(const nlohmann::ordered_json& values) const;
  const std::vector<std::string>& words() const { return words_; }

 private:
  std::vector<std::string> words_;
  std::vector<std::string> names_;
};

}  // namespace tempera
