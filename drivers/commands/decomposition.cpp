#include "drivers/commands/decomposition.hpp"

#include <fmt/format.h>

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
#include "distributed/communicator/gather_regions.hpp"
#include "distributed/communicator/objects.hpp"
#include "distributed/tensor/load.hpp"
#include "drivers/commands/decompose_health.hpp"
#include "drivers/commands/decompose_report.hpp"
#include "drivers/commands/decompose_start.hpp"
#include "drivers/commands/memory.hpp"
#include "drivers/run/run_frame.hpp"
#include "drivers/session.hpp"

namespace tempera::drivers {

namespace {

constexpr int kTopEntries = 5;
constexpr Index kBlockBytes = Index{1} << 19;  // of factor rows on their way to rank 0; a few such buffers live at once

using Json = nlohmann::ordered_json;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
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

/// What a decomposition does within the frame of its run. Lives on every rank.
class Decomposition {
 public:
  Decomposition(const Session& session, const DecomposeTask& task, int ranks_on_node, std::int64_t start_bytes)
      : world_(session.world),
        task_(task),
        options_(task.options),
        ranks_on_node_(ranks_on_node),
        start_bytes_(start_bytes),
        frame_(session, {"decompose", task.options.common, task.schema, task.start, task.resume}) {}

  RunFrame& frame() { return frame_; }
  static int recorded(int status) { return status; }

  int run() {
    const std::vector<int> grid = parse_grid(options_.grid, world_.size());
    frame_.open_folder();
    load(grid);
    begin();
    const CpResult result = factor();
    if (result.stopped == StopReason::requested)
      return frame_.leave(fmt::format("sweep {}, fit {:.6f}", last_step_.iteration, last_step_.fit));
    write(result);
    return 0;
  }

 private:
  void load(const std::vector<int>& grid) {
    const double start = seconds_now();
    const TensorFile file = TensorFile::parse(options_.input);
    const std::filesystem::path& path = file.path;
    if (task_.resume) check_input(path);
    const LoadOptions load = load_options(options_, grid);
    tensor_ = load_tensor(world_, options_.input, load);
    group_load_ = load;
    group_load_.distribution.grid.clear();
    if (sha256_.empty()) sha256_ = sha256_of_file(world_, path);
    if (world_.is_root()) facts_.labels = read_labels_beside(path, tensor_->shape());
    check_holdout();
    cp_ = cp_options(options_, tensor_->order());
    start_file_ = find_start_file(world_, options_, task_.resume, tensor_->shape());
    set_start(cp_, options_, start_file_);
    check_cp_options(tensor_->shape(), cp_);
    if (!poisson() && tensor_->only_observed()) check_observed_options(*tensor_, cp_);
    check_norm(*tensor_);
    if (poisson()) count_total(*tensor_, file.is_text() ? options_.index_base : 0, options_.input);
    check_cp_memory(*tensor_, cp_, poisson(), ranks_on_node_);
    cp_.start_groups = choose_start_groups(options_, *tensor_, available_memory() / ranks_on_node_);
    cp_.group_tensor = [this](const Communicator& group) { return load_tensor(group, options_.input, group_load_); };
    if (frame_.folder() != nullptr) frame_.folder()->check_space(factor_bytes(tensor_->shape(), options_.rank));
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
    Json input = {{"path", std::filesystem::absolute(options_.input).lexically_normal().string()}, {"sha256", sha256_}};
    Json more = {{"input", std::move(input)}};
    if (start_file_) more["start_file"] = {{"path", start_file_->path.string()}, {"sha256", start_file_->sha256}};
    frame_.begin(more);
  }

  CpResult factor() {
    const double bytes = factor_bytes(tensor_->shape(), options_.rank) * (options_.restarts > 1 ? 2 : 1);
    const RunPosition position{[this] { return describe(); }, [this](const Json& progress) { restore(progress); },
                               place_of};
    CpResult result;
    frame_.compute(configuration_of(task_.schema, start_file_), sha256_, bytes, position,
                   [&](Checkpoints& checkpoints) {
                     CpObserver observer;
                     observer.checkpoints = &checkpoints;
                     observer.progress = [this](const CpStep& step) { note_step(step); };
                     result = poisson() ? cp_apr(*tensor_, cp_, observer) : cp_als(*tensor_, cp_, observer);
                     facts_.seconds = frame_.seconds();
                   });
    return result;
  }

  void note_step(const CpStep& step) {
    ++facts_.total_iterations;
    last_step_ = step;
    Json record = {{"step", "sweep"}, {"restart", step.restart}, {"iteration", step.iteration}, {"fit", step.fit}};
    if (step.deviance) record["deviance"] = *step.deviance;
    record["change"] = step.change;
    frame_.step(
        record,
        fmt::format("{}sweep {}  {}fit {:.6f}  change {:.1e}",
                    options_.restarts > 1 ? fmt::format("start {}  ", step.restart + 1) : "", step.iteration,
                    step.deviance ? fmt::format("deviance {:.6g}  ", *step.deviance) : "", step.fit, step.change));
  }

  Json describe() const {
    return {{"step", "sweep"},
            {"restart", last_step_.restart},
            {"iteration", last_step_.iteration},
            {"fit", last_step_.fit},
            {"sweeps", facts_.total_iterations}};
  }

  void restore(const Json& progress) {
    facts_.total_iterations = progress.at("sweeps");
    last_step_.restart = progress.at("restart");
    last_step_.iteration = progress.at("iteration");
    last_step_.fit = progress.at("fit");
  }

  void write(const CpResult& result) {
    std::optional<KruskalWriter> writer;
    RunFolder* const folder = frame_.folder();
    if (folder != nullptr)
      writer.emplace(*folder / "factors.h5", tensor_->shape(), tensor_->stored_cells(), result.weights);
    const Index block_rows = std::max<Index>(1, kBlockBytes / (8 * options_.rank));
    for (int mode = 0; mode < tensor_->order(); ++mode) {
      const auto m = static_cast<std::size_t>(mode);
      for_each_row_block(world_, tensor_->shape()[m], result.rows[m], result.factors[m], block_rows,
                         [&](Index first, const FactorMatrix& block) { writer->append_rows(mode, first, block); });
      facts_.top.push_back(top_entries(world_, result.rows[m], result.factors[m], kTopEntries));
    }
    if (writer) writer->commit();
    collect_facts();
    if (folder == nullptr) return;
    frame_.deliver(decompose_summary(options_, result, facts_),
                   [&] { return decompose_text(options_, result, facts_, folder->path().string()); });
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
  CpStep last_step_;
  RunFrame frame_;
};

}  // namespace

int run_decomposition(const Launch& launch, const DecomposeTask& task) {
  const CommonOptions& common = task.options.common;
  return run_session(launch, [&](const Session& session) {
    const std::int64_t start_bytes = resident_bytes();
    const LaunchFacts facts = begin_computation(session.world, launch, common.threads, common.quiet);
    return decompose(session, task, facts.ranks_on_node, start_bytes);
  });
}

int decompose(const Session& session, const DecomposeTask& task, int ranks_on_node, std::int64_t start_bytes) {
  Decomposition decomposition(session, task, ranks_on_node, start_bytes);
  return run_framed(session.world, decomposition);
}

}  // namespace tempera::drivers
