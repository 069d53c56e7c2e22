#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/option_toml.hpp"
#include "core/bayesopt/space_file.hpp"

namespace tempera::drivers {

enum class Engine { decompose, sample, optimize, command };
/// "decompose"
std::string_view name(Engine engine);

/// MPI ranks that a stage wants: all of the job, the master among them, or some of the workers.
struct RanksWanted {
  enum class Kind { all, count, share } kind = Kind::all;
  std::int64_t count = 1;
  double share = 1;   ///< of the workers, in (0, 1]
  std::string where;  ///< of the key, else of the stage
};

struct NeededStage {
  std::string stage;
  std::string where;
};

/// `sweep.KEY = [...]`: an instance for each value.
struct Sweep {
  std::string key;
  std::vector<nlohmann::ordered_json> values;
  std::string where;
};

/// Which of a stage's instances a reference to it means.
struct Selection {
  std::string metric;  ///< dotted key of its results
  bool maximise = false;
  std::string where;  ///< of the metric
};

/// What trials of an optimize stage are: runs of another stage, valued by a key of their summary.
struct StageObjective {
  std::string stage;
  std::string metric;
  bool maximise = false;
  std::string stage_where, metric_where;
};

struct Stage {
  std::string name;
  std::string where;  ///< FILE:LINE of [stage.NAME]
  Engine engine = Engine::decompose;
  std::vector<NeededStage> needs;  ///< those of the key `needs`; references add to them
  RanksWanted ranks;
  bool stop_on_failure = false;
  std::vector<Sweep> sweeps;  ///< in the order of the file
  int repeat = 0;             ///< 0: not repeated
  std::string repeat_where;
  std::optional<Selection> select;
  std::optional<StageObjective> objective;
  std::optional<SpaceFile> space;    ///< of an optimize stage that has one
  std::string space_text;            ///< the same as SPACE.toml, with the direction of `objective`
  std::vector<OptionEntry> options;  ///< the engine's own, texts as they are in the file

  bool has_instances() const { return !sweeps.empty() || repeat > 0; }
  const OptionEntry* option(std::string_view key) const;
  const Sweep* sweep(std::string_view key) const;
};

/// A study file as it was read.
struct Study {
  std::filesystem::path file;
  std::filesystem::path folder;  ///< of the file: relative paths of inputs begin here, and commands are started here
  std::string title;
  std::int64_t seed = 0;
  std::string seed_where;     ///< empty: the default
  std::vector<Stage> stages;  ///< in the order of the file

  std::optional<std::size_t> find(std::string_view stage) const;
  /// The optimize stages whose trials are runs of this one; it does not run on its own then.
  std::vector<std::size_t> users_of(std::size_t stage) const;
  bool is_template(std::size_t stage) const { return !users_of(stage).empty(); }
  /// A path of the study as seen from the working directory.
  std::string located(const std::string& path) const;
};

/// Reads a study file: its form, the names in `needs`, `objective.stage` and the spaces. Options are read, but not assigned:
/// see validate().
/// @throws Error{usage} with FILE:LINE for all that is not understood, unknown keys with the nearest known one;
///         Error{input} for what makes no space
Study read_study(const std::filesystem::path& file);
/// A copy of the file, which was in that folder.
Study read_study(const std::filesystem::path& file, const std::filesystem::path& folder);

}  // namespace tempera::drivers
