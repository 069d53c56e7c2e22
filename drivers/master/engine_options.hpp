#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/option_schema.hpp"
#include "drivers/commands/decompose_options.hpp"
#include "drivers/commands/optimize/optimize_options.hpp"
#include "drivers/commands/sample/sample_options.hpp"
#include "drivers/master/study.hpp"

namespace tempera::drivers {

/// What a stage with engine = "command" can be told.
struct CommandOptions {
  std::string command;
  std::optional<double> timeout;  ///< seconds
  std::int64_t seed = 0;          ///< for the command's environment
};

/// The options of one run of an engine, bound to the schema that the engine's own command has.
class EngineOptions {
 public:
  explicit EngineOptions(Engine engine);
  EngineOptions(const EngineOptions&) = delete;
  EngineOptions& operator=(const EngineOptions&) = delete;

  Engine engine() const { return static_cast<Engine>(options_.index()); }
  OptionSchema& schema() { return schema_; }
  const OptionSchema& schema() const { return schema_; }
  DecomposeOptions& decompose() { return std::get<DecomposeOptions>(options_); }
  SampleOptions& sample() { return std::get<SampleOptions>(options_); }
  OptimizeOptions& optimize() { return std::get<OptimizeOptions>(options_); }
  CommandOptions& command() { return std::get<CommandOptions>(options_); }
  /// Common options of the engines; null for a command.
  CommonOptions* common();

  /// What the engine's command does before it starts MPI: checks what needs no data and fills in what depends on other
  /// options. @throws Error{usage} for the place that the option was set at; `where` for what was not set
  void complete(const std::string& where);
  /// Calls `check`; what it throws of an option ("--rank") is said of the place where that was set, or of `where`.
  template <class Check>
  void at_place(const std::string& where, Check check) const {
    try {
      check();
    } catch (const Error& error) {
      throw placed(error, where);
    }
  }

 private:
  Error placed(const Error& error, const std::string& where) const;

  std::variant<DecomposeOptions, SampleOptions, OptimizeOptions, CommandOptions> options_;
  OptionSchema schema_;
};

/// Keys of a stage that no engine knows.
const std::vector<std::string>& stage_keys();
/// The option names that a stage of this engine may set.
std::vector<std::string> option_keys(Engine engine);
/// Why a stage may not set an option that the engine's command has, and what to do: `output` has its place in the study's run
/// folder. Nothing for those that it may.
std::optional<std::pair<std::string, std::string>> refused_key(Engine engine, const std::string& key);
/// Whether an option names a file or folder that is there before the run, or a list of them parted by commas.
bool is_input_path(Engine engine, const std::string& key);

}  // namespace tempera::drivers
