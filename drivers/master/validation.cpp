#include "drivers/master/validation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/bayesopt/objectives.hpp"
#include "core/io/input_file.hpp"
#include "core/io/tensor_file.hpp"
#include "core/sampling/targets/targets.hpp"
#include "distributed/bayesopt/command_trial_arguments.hpp"
#include "drivers/commands/optimize/optimize_problem.hpp"
#include "drivers/master/trial_points.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kSmallData = 1 << 20;  // bytes of a target's data that are read

Error usage(const std::string& where, const std::string& what, const std::string& hint) {
  return {Category::usage, where, what, hint};
}

bool is_literal(const Study& study, const Stage& stage, const OptionEntry& entry) {
  const std::vector<std::string> names = stage_names(study);
  for (const std::string& text : texts_in(entry.value))
    if (!parse_study_text(text, text_rules(study, names, stage, entry.key)).is_literal()) return false;
  return true;
}

/// What an option may be given by a reference to a value of some kind.
bool fits(OptionKind option, ResultKind result) {
  if (result == ResultKind::any) return true;
  switch (option) {
    case OptionKind::integer: return result == ResultKind::whole;
    case OptionKind::real: return result == ResultKind::whole || result == ResultKind::number;
    case OptionKind::flag: return result == ResultKind::flag;
    case OptionKind::duration: return result == ResultKind::text;
    default: return true;
  }
}

const char* kind_name(ResultKind kind) {
  switch (kind) {
    case ResultKind::whole: return "a whole number";
    case ResultKind::number: return "a number";
    case ResultKind::text: return "text";
    case ResultKind::flag: return "true or false";
    case ResultKind::any: break;
  }
  return "unknown";
}

/// Checks one option set after the other; remembers what it has looked at.
class Validator {
 public:
  Validator(const StudyGraph& graph, int mpi_ranks)
      : graph_(graph), study_(graph.study), names_(stage_names(graph.study)), mpi_ranks_(mpi_ranks) {}

  std::vector<RunSize> run() {
    for (std::size_t index = 0; index < study_.stages.size(); ++index)
      if (study_.is_template(index)) check_use_of_parameters(index);
    std::vector<RunSize> sizes;
    for (const Instance& instance : graph_.instances) sizes.push_back(check(instance));
    return sizes;
  }

 private:
  RunSize check(const Instance& instance) {
    const Stage& stage = study_.stages[instance.stage];
    RunSize size;
    size.ranks = ranks_of(stage.ranks, mpi_ranks_);
    const int processes = processes_of(size.ranks, mpi_ranks_);
    const auto options = check_options(stage, options_of(study_, instance), nullptr, processes);
    size.memory = memory_of(stage, *options, processes);
    if (options->engine() == Engine::optimize) {
      size.trials = options->optimize().budget;
      size.ranks_per_trial = static_cast<int>(options->optimize().ranks_per_trial);
      size.trial_groups = RankLayout(processes, rank_options(options->optimize())).groups();
    }
    if (stage.objective) size.memory = check_trials(stage, *options);
    return size;
  }

  std::unique_ptr<EngineOptions> check_options(const Stage& stage, const std::vector<OptionEntry>& written,
                                               const nlohmann::json* point, int processes) {
    check_kinds(stage, written);
    const FilledOptions filled =
        fill_in(study_, stage, written, point, [this](const Reference& reference) { return imagined(reference); });
    std::vector<OptionEntry> entries = filled.entries;
    for (const OptionEntry& entry : filled.unknown) stand_in(stage, entry, entries);
    auto options = engine_options(stage, entries, processes, stage.space ? "inline" : "");
    options->at_place(stage.where, [&] { check_inputs(stage, written, *options); });
    return options;
  }

  /// References to what cannot be a value of the option, and misspelt ones.
  void check_kinds(const Stage& stage, const std::vector<OptionEntry>& written) const {
    const EngineOptions options(stage.engine);
    for (const OptionEntry& entry : written) {
      if (!entry.value.is_string()) continue;
      const auto text = entry.value.get<std::string>();
      const OptionKind kind = options.schema().find(entry.key)->kind();
      const bool textual = kind == OptionKind::text || kind == OptionKind::path || kind == OptionKind::choice;
      if (const auto meant = misspelt_stage(text, names_); meant && !textual)
        throw usage(entry.where,
                    fmt::format("{}: unknown stage '{}'", entry.key, text.substr(0, text.find_first_of(".["))),
                    fmt::format("did you mean '{}'?", *meant));
      StudyText parsed;
      options.at_place(entry.where,
                       [&] { parsed = parse_study_text(text, text_rules(study_, names_, stage, entry.key)); });
      if (!parsed.whole) continue;
      const Reference& reference = parsed.pieces.front().reference;
      const ResultKind result = result_kind(study_, *study_.find(reference.stage), reference.key);
      if (!fits(kind, result))
        throw usage(entry.where,
                    fmt::format("{}: {} expected, but '{}' is {}", entry.key, kind_text(kind), text, kind_name(result)),
                    "refer to another result, see 'tempera help studies'");
    }
  }

  /// A value that a reference might get, as far as something sensible is known.
  std::optional<Json> imagined(const Reference& reference) const {
    const std::size_t index = *study_.find(reference.stage);
    const Stage& stage = study_.stages[index];
    if (reference.key == "folder" || reference.key == "factors" || reference.key == "draws" ||
        (reference.key == "trials" && stage.engine == Engine::optimize))
      return "RUN/stages/" + stage.name + "/" + reference.key;
    if (reference.key.starts_with("best.") && stage.space) {
      const auto point = middle_point(stage.space->space);
      const auto value = point.find(reference.key.substr(5));
      if (value != point.end()) return Json(*value);
    }
    if (reference.key.starts_with("sweep.")) {
      const Sweep* const sweep = stage.sweep(reference.key.substr(6));
      if (sweep != nullptr && !sweep->values.front().is_string()) return sweep->values.front();
    }
    return std::nullopt;
  }

  /// For a value that only the run will know: one that the engine accepts.
  static void stand_in(const Stage& stage, const OptionEntry& entry, std::vector<OptionEntry>& entries) {
    const EngineOptions options(stage.engine);
    OptionEntry stand_in{entry.key, nullptr, entry.where, true};
    const Option& option = *options.schema().find(entry.key);
    if (entry.key == "input" || entry.key == "tensor")
      stand_in.value = "reference.tns";
    else if (entry.key == "target")
      stand_in.value = "gaussian";
    else if (!option.choices().empty())
      stand_in.value = option.choices().front();
    else if (option.kind() == OptionKind::flag)
      stand_in.value = true;
    else if (std::holds_alternative<std::monostate>(option.value()))
      return;
    else if (const std::string text = format_option_value(option.kind(), option.value()); !text.empty())
      stand_in.value = text;
    if (!stand_in.value.is_null()) entries.push_back(std::move(stand_in));
  }

  void check_inputs(const Stage& stage, const std::vector<OptionEntry>& written, EngineOptions& options) {
    const auto is_known = [&](const char* key) {
      for (const OptionEntry& entry : written)
        if (entry.key == key) return is_literal(study_, stage, entry);
      return true;
    };
    if (options.engine() == Engine::decompose) {
      const DecomposeOptions& decompose = options.decompose();
      if (is_known("input")) check_file(TensorFile::parse(decompose.input).path);
      if (is_known("init") && decompose.init != "random" && decompose.init != "nvecs") check_file(decompose.init);
    } else if (options.engine() == Engine::sample) {
      const SampleOptions& sample = options.sample();
      if (sample.of_tensor()) {
        if (is_known("tensor")) check_file(TensorFile::parse(sample.tensor).path);
      } else if (is_known("target") && is_known("set") && is_known("data")) {
        check_target(sample);
      }
    } else if (options.engine() == Engine::optimize) {
      check_optimisation(stage, options.optimize(), is_known("command"), is_known("warm-start"));
    } else if (is_known("command")) {
      check_program(split_command(options.command().command).front(), study_.folder);
    }
  }

  /// @return its bytes
  static std::int64_t check_input(const std::filesystem::path& path) {
    try {
      return check_input_file(path);
    } catch (const Error& error) {
      std::error_code nothing;
      if (std::filesystem::exists(path, nothing)) throw;
      throw Error(error.category(), error.where(), error.what_is_wrong(),
                  "check the path; it is relative to the folder of the study file");
    }
  }

  void check_file(const std::filesystem::path& path) {
    if (files_.insert(path).second) static_cast<void>(check_input(path));
  }

  void check_target(const SampleOptions& sample) {
    DataFile data;
    if (!sample.data.empty()) {
      if (check_input(sample.data) > kSmallData) return;
      data = sample.data;
    }
    const auto target = make_target(sample.target, sample.settings, data);
    static_cast<void>(tempering_options(sample, *target));
  }

  void check_optimisation(const Stage& stage, const OptimizeOptions& optimize, bool command, bool sources) {
    if (sources)
      for (const std::string& run : optimize.sources())
        if (!std::filesystem::is_directory(run))
          throw Error(Category::input, "--warm-start", run + ": no such run folder", "name the folder of a run");
    if (!stage.space) return static_cast<void>(TestObjective(optimize.objective, optimize.settings));
    check_space(*stage.space, optimize, stage.where);
    if (optimize.of_command() && command) {
      const TrialCommand checked(optimize.command, stage.space->space, study_.folder);
    }
    if (stage.objective && !stage.space->reported_constraints.empty())
      throw Error(Category::input, stage.where,
                  fmt::format("constraint '{}': runs of '{}' report no constraints",
                              stage.space->reported_constraints.front(), stage.objective->stage),
                  "leave it out, or write it as an expression of the parameters");
  }

  /// A stage whose runs are trials uses the parameters of the space, all of them and no others.
  void check_use_of_parameters(std::size_t index) const {
    const Stage& stage = study_.stages[index];
    for (const std::size_t user_index : study_.users_of(index)) {
      const Stage& user = study_.stages[user_index];
      std::vector<std::string> parameters;
      for (const Parameter& parameter : user.space->space.parameters()) parameters.push_back(parameter.name);
      std::set<std::string> used;
      for (const OptionEntry& entry : stage.options)
        for (const std::string& text : texts_in(entry.value))
          for (const TextPiece& piece : parse_study_text(text, text_rules(study_, names_, stage, entry.key)).pieces) {
            if (piece.kind != TextPiece::Kind::parameter) continue;
            used.insert(piece.text);
            if (std::find(parameters.begin(), parameters.end(), piece.text) != parameters.end()) continue;
            const auto nearest = nearest_name(piece.text, parameters);
            throw usage(entry.where,
                        fmt::format("{}: {{{}}} names no parameter of '{}'", entry.key, piece.text, user.name),
                        nearest ? fmt::format("did you mean '{{{}}}'?", *nearest)
                                : fmt::format("parameters are {}; braces that are meant are written {{{{{}}}}}",
                                              fmt::join(parameters, ", "), piece.text));
          }
      for (const std::string& parameter : parameters)
        if (!used.contains(parameter))
          throw usage(user.objective->stage_where,
                      fmt::format("objective.stage: '{}' does not use the parameter '{}'", stage.name, parameter),
                      fmt::format("write {{{}}} in one of its options, or leave the parameter out", parameter));
      try {
        check_metric(study_, index, user.objective->metric);
      } catch (const Error& error) {
        throw Error(error.category(), user.objective->metric_where, "objective.metric: " + error.what_is_wrong(),
                    error.hint());
      }
    }
  }

  /// @return the memory of the largest trial that was looked at
  StageMemory check_trials(const Stage& stage, EngineOptions& options) {
    Instance trial;
    trial.stage = *study_.find(stage.objective->stage);
    const Stage& of = study_.stages[trial.stage];
    const auto ranks = static_cast<int>(options.optimize().ranks_per_trial);
    StageMemory largest;
    for (const nlohmann::json& point : points_to_check(stage.space->space)) {
      try {
        const auto checked = check_options(of, options_of(study_, trial), &point, ranks);
        const StageMemory memory = memory_of(of, *checked, ranks);
        if (memory.bytes.value_or(-1) > largest.bytes.value_or(-1)) largest = memory;
      } catch (const Error& error) {
        throw Error(error.category(), error.where(),
                    fmt::format("{} (at the point {} of '{}')", error.what_is_wrong(), point.dump(), stage.name),
                    error.hint());
      }
    }
    return largest;
  }

  StageMemory memory_of(const Stage& stage, EngineOptions& options, int processes) {
    for (const char* key : {"input", "tensor"}) {
      const Option* const input = options.schema().find(key);
      if (input == nullptr || input->set_by().empty()) continue;
      const std::filesystem::path path = TensorFile::parse(std::get<std::string>(input->value())).path;
      if (!files_.contains(path)) return {};  // another stage will make it
    }
    StageMemory memory;
    options.at_place(stage.where, [&] { memory = memory_.estimate(options, processes); });
    return memory;
  }

  const StudyGraph& graph_;
  const Study& study_;
  std::vector<std::string> names_;
  int mpi_ranks_;
  std::set<std::filesystem::path> files_;
  MemoryEstimator memory_;
};

/// What depends on the number of ranks that a run has.
void check_ranks(EngineOptions& options, int processes) {
  if (options.engine() == Engine::decompose) {
    static_cast<void>(parse_grid(options.decompose().grid, processes));
    if (options.decompose().start_groups.value_or(1) > processes)
      throw usage("--start-groups",
                  fmt::format("{} groups of {} MPI rank{}", *options.decompose().start_groups, processes,
                              processes == 1 ? "" : "s"),
                  "a group has at least one rank: give a smaller number, or auto");
  }
  if (options.engine() == Engine::optimize) static_cast<void>(RankLayout(processes, rank_options(options.optimize())));
}

}  // namespace

int ranks_of(const RanksWanted& wanted, int mpi_ranks) {
  const int workers = worker_ranks(mpi_ranks);
  if (wanted.kind == RanksWanted::Kind::all) return kAllRanks;
  if (wanted.kind == RanksWanted::Kind::share)
    return std::max(1, static_cast<int>(wanted.share * static_cast<double>(workers) + 1e-9));
  if (wanted.count > workers)
    throw usage(wanted.where,
                fmt::format("ranks: {} worker rank{} asked for, but {} MPI rank{} one master and {} worker{}",
                            wanted.count, wanted.count == 1 ? " is" : "s are", mpi_ranks,
                            mpi_ranks == 1 ? " is" : "s are", mpi_ranks == 1 ? 0 : workers, workers == 1 ? "" : "s"),
                fmt::format("start {} ranks, or see what would run on them: --dry-run --ranks {}", wanted.count + 1,
                            wanted.count + 1));
  return static_cast<int>(wanted.count);
}

std::vector<RunSize> validate(const StudyGraph& graph, int mpi_ranks) {
  return Validator(graph, mpi_ranks).run();
}

std::unique_ptr<EngineOptions> engine_options(const Stage& stage, std::span<const OptionEntry> entries, int processes,
                                              const std::filesystem::path& space) {
  auto options = std::make_unique<EngineOptions>(stage.engine);
  apply_entries(options->schema(), entries);
  if (stage.engine == Engine::optimize) {
    options->optimize().of_stage = stage.objective.has_value();
    if (!space.empty()) options->optimize().space = space;
  }
  options->complete(stage.where);
  options->at_place(stage.where, [&] { check_ranks(*options, processes); });
  return options;
}

}  // namespace tempera::drivers
