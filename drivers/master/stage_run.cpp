#include "drivers/master/stage_run.hpp"

#include <fmt/format.h>

#include <fstream>

#include "core/base/atomic_file.hpp"
#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "distributed/communicator/objects.hpp"
#include "drivers/commands/decomposition.hpp"
#include "drivers/commands/sample/sampling.hpp"
#include "drivers/master/stage_trials.hpp"
#include "drivers/master/validation.hpp"
#include "drivers/run/manifest.hpp"
#include "drivers/time_limit.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

/// How far a folder's run came before.
struct Earlier {
  bool ended_well = false;
  std::optional<ResumedRun> left;  ///< it goes on from there
};

/// The manifest that is there; null where there is none. One that has failed begins anew, so it counts as none.
Json manifest_of(const std::filesystem::path& folder) {
  std::error_code error;
  if (!std::filesystem::exists(folder / "manifest.json", error)) return {};
  Json manifest = read_manifest(folder);
  const Json status = manifest.value("exit_status", Json());
  const bool goes_on = status.is_null() || status == 0 || status == exit_status(Category::interrupted);
  return goes_on ? manifest : Json();
}

/// The first rank looks, for all.
Earlier find_earlier(const std::filesystem::path& folder, const Communicator& group) {
  std::string text;
  if (group.is_root()) text = manifest_of(folder).dump();
  group.broadcast_object(text, 0);
  Json manifest = Json::parse(text);
  if (manifest.is_null()) return {};
  if (manifest.value("exit_status", Json()) == 0) return {true, std::nullopt};
  ResumedRun run{folder, std::move(manifest), {}};
  const Json input = run.manifest.value("input", Json());
  if (input.is_object()) run.input_sha256 = input.value("sha256", std::string());
  return {false, std::move(run)};
}

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Has a run end by its own limit, which counts from now, or with the study, whichever comes first. The first rank's clock counts.
/// @return whether it is the own one
bool set_time_limit(const StudyContext& context, const OptionSchema& schema, CommonOptions& common,
                    const Communicator& group) {
  CommonOptions of_study;
  of_study.time_limit = context.time_limit;
  bool own = false;
  std::optional<std::string> text = context.time_limit;
  if (group.is_root() && common.time_limit) {
    const double elapsed = now() - std::chrono::duration<double>(context.start.time_since_epoch()).count();
    const double limit = *seconds_left(schema, common, 0);
    const std::optional<double> left = seconds_left(schema, of_study, elapsed);
    own = !left || limit < *left;
    if (own) text = fmt::format("{:.3f}s", elapsed + limit);
  }
  common.time_limit = text;
  return group.broadcast_value(own ? 1 : 0, 0) != 0;
}

int run_within(const StudyContext& context, EngineOptions& options, std::optional<ResumedRun> left,
               const Communicator& group, const OtherTrials* trials) {
  const Session session{group, context.signals};
  const OptionSchema& schema = options.schema();
  switch (options.engine()) {
    case Engine::decompose:
      return decompose(session, {options.decompose(), schema, context.start, std::move(left)}, context.ranks_on_node,
                       resident_bytes());
    case Engine::sample:
      return sample(session, {options.sample(), schema, context.start, std::move(left)}, context.ranks_on_node);
    case Engine::optimize:
      return optimize(session, {options.optimize(), schema, context.start, std::move(left), trials});
    case Engine::command: break;
  }
  throw Error(Category::usage, "", "a command is no engine of ranks");
}

}  // namespace

Json read_summary(const std::filesystem::path& run) {
  const std::filesystem::path path = run / "summary.json";
  std::ifstream file(path, std::ios::binary);
  Json summary = Json::parse(file, nullptr, false);
  if (!summary.is_object())
    throw Error(Category::input, path.string(), file ? "is no summary of a run" : "is not there",
                "remove the folder: 'tempera resume' then makes this run again");
  return summary;
}

int run_engine(const StudyContext& context, EngineOptions& options, const std::filesystem::path& folder,
               const Communicator& group, const OtherTrials* trials) {
  Earlier earlier = find_earlier(folder, group);
  if (earlier.ended_well) return 0;
  CommonOptions& common = *options.common();
  common.output = folder;
  common.overwrite = true;
  common.stage = true;
  const std::string own_limit = common.time_limit.value_or("");
  const bool limited = set_time_limit(context, options.schema(), common, group);
  set_threads(common.threads);
  const int status = run_within(context, options, std::move(earlier.left), group, trials);
  if (status != 0 && limited && !context.signals.requested(group))
    throw Error(Category::numerical, "--time-limit", fmt::format("has not ended after {}", own_limit),
                "its checkpoint is kept");
  return status;
}

int run_stage(const StudyContext& context, const StageOrder& order, const Communicator& group) {
  const StudyGraph& graph = context.graph;
  const std::size_t instance = order.instance;
  const Stage& stage = graph.stage_of(instance);
  const std::filesystem::path folder = context.folder_of(instance);
  std::filesystem::path space;
  if (stage.space) {
    space = folder.string() + ".space.toml";
    if (group.is_root()) {
      std::filesystem::create_directories(folder.parent_path());
      write_file_atomically(space, stage.space_text);
    }
    group.barrier();
  }
  const auto options = engine_options(stage, order.options, group.size(), space);
  if (stage.engine == Engine::optimize) options->optimize().directory = graph.study.folder;
  options->common()->quiet = context.quiet || group.size() < context.mpi_ranks;
  std::optional<OtherTrials> trials;
  if (stage.objective) trials = stage_trials(context, instance, KnownResults(order));
  int status = 0;
  options->at_place(stage.where,
                    [&] { status = run_engine(context, *options, folder, group, trials ? &*trials : nullptr); });
  return status;
}

}  // namespace tempera::drivers
