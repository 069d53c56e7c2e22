#include "drivers/master/engine_options.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/error.hpp"
#include "core/io/tensor_file.hpp"
#include "distributed/bayesopt/command_trial_arguments.hpp"
#include "drivers/time_limit.hpp"

namespace tempera::drivers {

namespace {

constexpr std::array<std::string_view, 4> kEngines = {"decompose", "sample", "optimize", "command"};

std::variant<DecomposeOptions, SampleOptions, OptimizeOptions, CommandOptions> options_of(Engine engine) {
  switch (engine) {
    case Engine::decompose: return DecomposeOptions();
    case Engine::sample: return SampleOptions();
    case Engine::optimize: return OptimizeOptions();
    case Engine::command: break;
  }
  return CommandOptions();
}

void declare(OptionSchema& schema, CommandOptions& options) {
  schema.text("command", options.command).help("program to run, with its arguments").required();
  schema.duration("timeout", options.timeout).above(0).absent("none").help("a command that takes longer is ended");
  schema.integer("seed", options.seed).minimum(0).help("for the command, in TEMPERA_STAGE_SEED");
}

}  // namespace

std::string_view name(Engine engine) {
  return kEngines[static_cast<std::size_t>(engine)];
}

EngineOptions::EngineOptions(Engine engine)
    : options_(options_of(engine)), schema_(std::string(name(engine)), "a stage of a study") {
  std::visit([this](auto& options) { declare(schema_, options); }, options_);
}

CommonOptions* EngineOptions::common() {
  switch (engine()) {
    case Engine::decompose: return &decompose().common;
    case Engine::sample: return &sample().common;
    case Engine::optimize: return &optimize().common;
    case Engine::command: break;
  }
  return nullptr;
}

void EngineOptions::complete(const std::string& where) {
  for (const Option& option : schema_.options())
    if (option.is_required() && option.set_by().empty())
      throw Error(Category::usage, where, option.name() + " is missing", "see 'tempera help studies'");
  at_place(where, [&] {
    if (common() != nullptr && common()->time_limit == "auto")
      throw Error(Category::usage, "--time-limit", "auto is for the whole study",
                  "give the stage a duration such as 30m");
    switch (engine()) {
      case Engine::decompose:
        check_constraints(decompose().constraints);
        check_loss(decompose());
        TensorFile::parse(decompose().input);
        parse_checkpoint_every(schema_, decompose().common);
        break;
      case Engine::sample: drivers::complete(schema_, sample()); break;
      case Engine::optimize: drivers::complete(schema_, optimize()); break;
      case Engine::command: split_command(command().command); break;
    }
  });
}

Error EngineOptions::placed(const Error& error, const std::string& where) const {
  const std::string file = where.substr(0, where.rfind(':') + 1);
  if (error.where().starts_with(file)) return error;
  const auto say = [&](const std::string& place, const std::string& label) -> Error {
    return {error.category(), place.starts_with(file) ? place : where,
            label.empty() ? error.what_is_wrong() : label + ": " + error.what_is_wrong(), error.hint()};
  };
  const std::string name = error.where() == "SPACE.toml" ? "--space" : error.where();
  if (name.starts_with("--") && schema_.find(name.substr(2)) != nullptr)
    return say(schema_.find(name.substr(2))->set_by(), name.substr(2));
  for (const Option& option : schema_.options()) {  // a file that an option names, or a place in it
    const OptionValue value = option.value();
    const auto* text = std::get_if<std::string>(&value);
    if (text != nullptr && !text->empty() && !option.set_by().empty() && name.starts_with(*text))
      return say(option.set_by(), option.name() + ": " + name);
  }
  return say(where, name);
}

const std::vector<std::string>& stage_keys() {
  static const std::vector<std::string> keys = {"engine", "needs",  "ranks",     "on_failure", "sweep",
                                                "repeat", "select", "objective", "parameter",  "constraint"};
  return keys;
}

std::optional<std::pair<std::string, std::string>> refused_key(Engine engine, const std::string& key) {
  using Reason = std::pair<std::string, std::string>;
  if (engine == Engine::command) return std::nullopt;
  if (key == "output" || key == "overwrite" || key == "checkpoint-dir")
    return Reason("a stage's results have their place in the run folder of the study",
                  "leave it out: they are in RUN/stages, and 'tempera run --output RUN' says where RUN is");
  if (key == "time-limit" && engine == Engine::optimize)
    return Reason("an optimisation ends with its budget",
                  "say it to the stage of its trials, or to the study: tempera run --time-limit");
  if (key == "quiet" || key == "verbose" || key == "json")
    return Reason("what is printed is up to the study", "say it to the study: tempera run --" + key);
  if (key == "config") return Reason("a stage has its options itself", "write the keys of that file into the stage");
  if (key == "ask" || key == "ask-again" || key == "tell")
    return Reason("trials of a study are not run by hand", "use 'tempera optimize' for it");
  return std::nullopt;
}

std::vector<std::string> option_keys(Engine engine) {
  const EngineOptions options(engine);
  std::vector<std::string> keys;
  for (const Option& option : options.schema().options())
    if (!refused_key(engine, option.name())) keys.push_back(option.name());
  return keys;
}

bool is_input_path(Engine engine, const std::string& key) {
  switch (engine) {
    case Engine::decompose: return key == "input" || key == "init";
    case Engine::sample: return key == "data" || key == "tensor";
    case Engine::optimize: return key == "space" || key == "warm-start";
    case Engine::command: break;
  }
  return false;
}

}  // namespace tempera::drivers
