#include "drivers/commands/decomposition.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "core/base/option_json.hpp"
#include "core/io/hdf5_file.hpp"
#include "core/io/tensor_file.hpp"
#include "distributed/als/cp_apr.hpp"
#include "distributed/als/cp_observed_sweep.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/gather_regions.hpp"
#include "distributed/communicator/objects.hpp"
#include "distributed/tensor/load.hpp"
#include "drivers/commands/decompose_health.hpp"
#include "drivers/commands/decompose_report.hpp"
#include "drivers/commands/decompose_start.hpp"
#include "drivers/commands/manifest.hpp"
#include "drivers/commands/memory.hpp"
#include "drivers/commands/run_folder.hpp"
#include "drivers/commands/run_log.hpp"
#include "drivers/session.hpp"
#include "drivers/standard_streams.hpp"
#include "drivers/time_limit.hpp"

namespace tempera::drivers {

namespace {

constexpr int kTopEntries = 5;
constexpr Index kBlockBytes = Index{1} << 19;  // of factor rows on their way to rank 0; a few such buffers live at once

using Json = nlohmann::ordered_json;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::vector<std::string> host_names(const Communicator& world) {
  char name[MPI_MAX_PROCESSOR_NAME] = "";
  int length = 0;
  MPI_Get_processor_name(name, &length);
  return world.gather_objects(std::string(name, static_cast<std::size_t>(length)), 0);
}

double factor_bytes(const std::vector<Index>& shape, Index rank) {
  double rows = 0;
  for (const Index size : shape) rows += static_cast<double>(size);
  return 8 * rows * static_cast<double>(rank);
}

/// The options that change the result, as the checkpoints remember them. The limit of sweeps may grow, and the grid,
/// like the number of ranks, changes rounding only.
Json configuration_of(const OptionSchema& schema, const std::optional<StartFile>& start) {
  Json values = options_to_json(schema)["values"];
  Json configuration;
  for (const char* name : {"method", "rank", "loss", "constraint", "missing", "index-base", "dims", "tolerance", "init",
                           "restarts", "seed", "solver", "extrapolation", "damping", "holdout"})
    configuration[name] = values.at(name);
  if (start) configuration["init"] = "sha256:" + start->sha256;  // wherever it lies
  return configuration;
}

/// Where a generation stood, for people.
std::string place_of(const Json& progress) {
  return fmt::format(
      "sweep {}{}, fit {:.6f}", progress.at("iteration").get<int>(),
      progress.at("restart") > 0 ? fmt::format(" of start {}", progress.at("restart").get<int>() + 1) : "",
      progress.at("fit").get<double>());
}

/// One run from the checked options to the written folder, from its beginning or from its last checkpoint. Lives on
/// every rank; folder and progress on rank 0 only.
class Decomposition {
 public:
  Decomposition(const Session& session, const DecomposeTask& task, int ranks_on_node, std::int64_t start_bytes)
      : world_(session.world),
        signals_(session.signals),
        task_(task),
        options_(task.options),
        ranks_on_node_(ranks_on_node),
        start_bytes_(start_bytes),
        log_(task.options.common.quiet) {}

  int run() {
    const std::vector<int> grid = parse_grid(options_.grid, world_.size());
    if (world_.is_root()) open_folder();
    load(grid);
    begin();
    const CpResult result = factor();
    if (result.stopped == StopReason::requested) return leave();
    write(result);
    return 0;
  }

  /// The manifest says how the run ended.
  void finish(int status) {
    log_.close();
    if (folder_ && begun_) folder_->finish(status);
  }
  /// The same after an error, which matters more than one of this attempt.
  void abandon(int status) noexcept {
    try {
      finish(status);
    } catch (...) {
    }
  }

 private:
  void open_folder() {
    const auto say = [this](const std::string& text) { log_.warn(text); };
    if (task_.resume)
      folder_.emplace(RunFolder::reopen(task_.resume->folder, task_.resume->manifest, say));
    else
      folder_.emplace(
          RunPlace{options_.common.output, "decompose", options_.common.overwrite, options_.common.checkpoint_dir},
          say);
  }

  void load(const std::vector<int>& grid) {
    const double start = seconds_now();
    const TensorFile file = TensorFile::parse(options_.input);
    const std::filesystem::path& path = file.path;
    if (task_.resume) check_input(path);
    LoadOptions load;
    load.index_base = options_.index_base;
    if (options_.dims) load.dims = *options_.dims;
    load.distribution.grid = grid;
    load.distribution.threads = options_.common.threads;
    load.distribution.missing = options_.missing == "unobserved" ? Missing::unobserved : Missing::zero;
    load.distribution.holdout = {options_.holdout, static_cast<std::uint64_t>(options_.common.seed)};
    tensor_ = load_tensor(world_, options_.input, load);
    group_load_ = load;
    group_load_.distribution.grid.clear();
    if (sha256_.empty()) sha256_ = sha256_of_file(world_, path);
    if (world_.is_root()) facts_.labels = read_labels_beside(path, tensor_->shape());
    check_holdout();
    cp_.rank = options_.rank;
    cp_.constraints = parse_constraints(options_.constraints, tensor_->order());
    cp_.iterations = options_.iterations;
    cp_.tolerance = options_.tolerance;
    cp_.restarts = options_.restarts;
    cp_.seed = static_cast<std::uint64_t>(options_.common.seed);
    cp_.solver = solver_named(options_.solver);
    cp_.count_solver = parse_count_solver(options_.solver);
    cp_.extrapolation = options_.extrapolation;
    const auto damping = parse_damping(options_.damping);
    cp_.damping = damping.value_or(0);
    cp_.damping_in_swamps = !damping;
    start_file_ = find_start_file(world_, options_, task_.resume, tensor_->shape());
    set_start(cp_, options_, start_file_);
    check_cp_options(tensor_->shape(), cp_);
    if (!poisson() && tensor_->only_observed()) check_observed_options(*tensor_, cp_);
    check_norm(*tensor_);
    if (poisson()) count_total(*tensor_, file.is_text() ? options_.index_base : 0, options_.input);
    check_cp_memory(*tensor_, cp_, poisson(), ranks_on_node_);
    cp_.start_groups = choose_start_groups(options_, *tensor_, available_memory() / ranks_on_node_);
    cp_.group_tensor = [this](const Communicator& group) { return load_tensor(group, options_.input, group_load_); };
    if (folder_) folder_->check_space(factor_bytes(tensor_->shape(), options_.rank));
    facts_.load_seconds = seconds_now() - start;
  }

  void check_holdout() const {
    const Holdout& holdout = tensor_->holdout();
    if (!holdout.empty() && holdout.strata.front().held == 0)
      throw Error(Category::usage, "--holdout",
                  fmt::format("a share of {} keeps none of {:.0f} {} apart", options_.holdout,
                              holdout.strata.front().cells, holdout.strata.front().name),
                  "choose a larger share or another --seed; slices with one entry keep it");
  }

  bool poisson() const { return options_.loss == "poisson"; }

  /// Before the long work of reading it.
  void check_input(const std::filesystem::path& path) {
    sha256_ = sha256_of_file(world_, path);
    const std::string& before = task_.resume->input_sha256;
    if (sha256_ != before)
      throw Error(Category::input, path.string(),
                  fmt::format("is not the input this run began with: its SHA-256 is {}, it was {}", sha256_, before),
                  "restore the file, or name where it is now with --input");
  }

  void begin() {
    const auto hosts = host_names(world_);
    std::optional<double> left;
    if (world_.is_root()) left = seconds_left(task_.schema, options_.common, seconds_since_start());
    if (left) deadline_ = seconds_now() + *left;
    if (!folder_) return;
    Json options = options_to_json(task_.schema);
    if (task_.resume) {
      folder_->begin_again(options, {{"mpi_ranks", world_.size()}, {"generation", nullptr}});
    } else {
      Json manifest = manifest_of_build(world_.size(), hosts);
      manifest["command"] = "decompose";
      manifest["options"] = std::move(options);
      manifest["seed"] = options_.common.seed;
      manifest["input"] = {{"path", std::filesystem::absolute(options_.input).lexically_normal().string()},
                           {"sha256", sha256_}};
      if (start_file_) manifest["start_file"] = {{"path", start_file_->path.string()}, {"sha256", start_file_->sha256}};
      folder_->begin(std::move(manifest));
    }
    begun_ = true;
    log_.open(*folder_ / "progress.jsonl");
  }

  double seconds_since_start() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - task_.start).count();
  }

  CpResult factor() {
    std::string folder = folder_ ? folder_->checkpoints().string() : "";
    world_.broadcast_object(folder, 0);
    CheckpointStore store(folder, {configuration_of(task_.schema, start_file_), sha256_});
    ScheduleSettings schedule = parse_checkpoint_every(task_.schema, options_.common);
    schedule.deadline = deadline_;
    schedule.bytes = factor_bytes(tensor_->shape(), options_.rank) * (options_.restarts > 1 ? 2 : 1);
    Checkpoints checkpoints(store, schedule, hooks());
    start_ = seconds_now();
    CpObserver observer;
    observer.checkpoints = &checkpoints;
    observer.progress = [this](const CpStep& step) { note_step(step); };
    CpResult result = poisson() ? cp_apr(*tensor_, cp_, observer) : cp_als(*tensor_, cp_, observer);
    facts_.seconds = seconds_so_far();
    if (checkpoints.failure())
      failure_ = checkpoints.failure()->where() + ": " + checkpoints.failure()->what_is_wrong();
    if (folder_) log_.finish_line();
    return result;
  }

  CheckpointHooks hooks() {
    CheckpointHooks hooks;
    hooks.stop_requested = [this] { return signals_.local(); };
    hooks.warn = [this](const std::string& text) { log_.warn(text); };
    hooks.progress = [this] { return describe(); };
    hooks.saved = [this](const GenerationInfo& info, double seconds) {
      log_.record({{"step", "checkpoint"}, {"generation", info.number}, {"bytes", info.bytes}, {"seconds", seconds}});
    };
    hooks.restored = [this](const CheckpointReader* reader) { go_on_from(reader); };
    return hooks;
  }

  double seconds_so_far() const { return seconds_before_ + seconds_now() - start_; }

  void note_step(const CpStep& step) {
    ++facts_.total_iterations;
    if (!folder_) return;
    if (folder_->lost()) recover();
    last_step_ = step;
    Json record = {{"step", "sweep"}, {"restart", step.restart}, {"iteration", step.iteration}, {"fit", step.fit}};
    if (step.deviance) record["deviance"] = *step.deviance;
    record["change"] = step.change;
    record["seconds"] = seconds_so_far();
    log_.step(record, fmt::format("{}sweep {}  {}fit {:.6f}  change {:.1e}",
                                  options_.restarts > 1 ? fmt::format("start {}  ", step.restart + 1) : "",
                                  step.iteration, step.deviance ? fmt::format("deviance {:.6g}  ", *step.deviance) : "",
                                  step.fit, step.change));
  }

  void recover() {
    if (folder_->recover()) log_.open(*folder_ / "progress.jsonl");
  }

  /// For the index of a generation, and for the run that goes on from it.
  Json describe() {
    recover();
    return {{"step", "sweep"},          {"restart", last_step_.restart},     {"iteration", last_step_.iteration},
            {"fit", last_step_.fit},    {"sweeps", facts_.total_iterations}, {"seconds", seconds_so_far()},
            {"log_bytes", log_.bytes()}};
  }

  /// On rank 0, when the state has been found. What the log says of later steps is forgotten: they come again.
  void go_on_from(const CheckpointReader* reader) {
    if (!task_.resume) return;
    std::int64_t keep = 0;
    Json record = {{"step", "resume"}, {"generation", nullptr}, {"mpi_ranks", world_.size()}};
    std::string line = "no checkpoint yet: from the beginning";
    if (reader != nullptr) {
      const Json& progress = reader->progress();
      facts_.total_iterations = progress.at("sweeps");
      seconds_before_ = progress.at("seconds");
      last_step_.restart = progress.at("restart");
      last_step_.iteration = progress.at("iteration");
      last_step_.fit = progress.at("fit");
      keep = progress.at("log_bytes");
      record["generation"] = reader->generation();
      folder_->resumed_from(reader->generation());
      line = fmt::format("going on from checkpoint {}: {}", reader->generation(), place_of(progress));
    }
    start_ = seconds_now();
    log_.cut(keep);
    log_.note(line);
    log_.record(record);
  }

  /// After a request to stop: no results, the checkpoint has it all.
  int leave() {
    world_.broadcast_object(failure_, 0);
    if (!failure_.empty())
      throw Error(Category::environment, "", "stopped, but without a checkpoint: " + failure_,
                  "mend that, then 'tempera resume' goes on from the checkpoint before, if there is one");
    if (folder_ && !options_.common.quiet)
      print_message(fmt::format("stopped after sweep {}, fit {:.6f}; go on with: tempera resume {}\n",
                                last_step_.iteration, last_step_.fit, folder_->path().string()));
    return exit_status(Category::interrupted);
  }

  void write(const CpResult& result) {
    std::optional<KruskalWriter> writer;
    if (folder_) writer.emplace(*folder_ / "factors.h5", tensor_->shape(), tensor_->stored_cells(), result.weights);
    const Index block_rows = std::max<Index>(1, kBlockBytes / (8 * options_.rank));
    for (int mode = 0; mode < tensor_->order(); ++mode) {
      const auto m = static_cast<std::size_t>(mode);
      for_each_row_block(world_, tensor_->shape()[m], result.rows[m], result.factors[m], block_rows,
                         [&](Index first, const FactorMatrix& block) { writer->append_rows(mode, first, block); });
      facts_.top.push_back(top_entries(world_, result.rows[m], result.factors[m], kTopEntries));
    }
    if (writer) writer->commit();
    collect_facts();
    if (!folder_) return;
    const nlohmann::ordered_json summary = decompose_summary(options_, result, facts_);
    folder_->write_summary(summary);
    if (options_.common.json)
      print_result(summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    else if (!options_.common.quiet)
      print_result(decompose_text(options_, result, facts_, folder_->path().string()));
  }

  void collect_facts() {
    facts_.shape = tensor_->shape();
    facts_.nonzeros = tensor_->stored_cells();
    facts_.storage = tensor_->storage();
    facts_.sparse = tensor_->sparse();
    facts_.observed_cells = tensor_->stored_cells();
    for (const HoldoutStratum& stratum : tensor_->holdout().strata) facts_.observed_cells -= stratum.held;
    facts_.duplicates = tensor_->duplicates();
    facts_.returned = tensor_->holdout().returned;
    facts_.returned_mode = static_cast<std::size_t>(tensor_->holdout().returned_mode);
    facts_.returned_index = tensor_->holdout().returned_index;
    facts_.balance = tensor_->balance();
    facts_.exchanged = tensor_->exchanged_rows();
    facts_.grid = tensor_->grid().extents();
    facts_.mpi_ranks = world_.size();
    facts_.active_ranks = tensor_->grid().size();
    facts_.memory_bytes_max = world_.all_reduce_value(peak_resident_bytes() - start_bytes_, Reduction::maximum);
    facts_.regions = gather_regions(world_);
  }

  const Communicator& world_;
  const StopRequest& signals_;  // one that came while the input was read ends the run after its first sweep
  const DecomposeTask& task_;
  const DecomposeOptions& options_;
  int ranks_on_node_;
  std::int64_t start_bytes_;
  CpOptions cp_;
  std::unique_ptr<DistributedTensor> tensor_;
  std::string sha256_;
  std::optional<StartFile> start_file_;
  LoadOptions group_load_;  // of a group of ranks that makes starts of its own
  DecomposeFacts facts_;
  std::optional<RunFolder> folder_;
  RunLog log_;
  std::optional<double> deadline_;  // on the steady clock, on rank 0
  std::string failure_;             // of the last checkpoint
  CpStep last_step_;
  double start_ = 0;           // of the sweeps in this process
  double seconds_before_ = 0;  // in those before it
  bool begun_ = false;
};

}  // namespace

int run_decomposition(const Launch& launch, const DecomposeTask& task) {
  const CommonOptions& common = task.options.common;
  return run_session(launch, [&](const Session& session) {
    const std::int64_t start_bytes = resident_bytes();
    const LaunchFacts facts = begin_computation(session.world, launch, common.threads, common.quiet);
    Decomposition decomposition(session, task, facts.ranks_on_node, start_bytes);
    try {
      return collectively(session.world, [&] {
        const int status = decomposition.run();
        decomposition.finish(status);
        return status;
      });
    } catch (const Error& error) {
      decomposition.abandon(exit_status(error.category()));
      throw;
    }
  });
}

}  // namespace tempera::drivers
