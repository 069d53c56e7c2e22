#include "drivers/commands/decompose.hpp"

#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/base/command_line.hpp"
#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "core/base/option_help.hpp"
#include "core/base/option_json.hpp"
#include "core/base/progress.hpp"
#include "core/io/hdf5_file.hpp"
#include "core/io/tensor_file.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/gather_regions.hpp"
#include "distributed/communicator/objects.hpp"
#include "distributed/tensor/load.hpp"
#include "drivers/commands/decompose_options.hpp"
#include "drivers/commands/decompose_report.hpp"
#include "drivers/commands/memory.hpp"
#include "drivers/commands/run_folder.hpp"
#include "drivers/launch.hpp"
#include "drivers/session.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

namespace {

constexpr int kTopEntries = 5;
constexpr Index kBlockBytes = Index{1} << 19;  // of factor rows on their way to rank 0; a few such buffers live at once

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

/// One run from the checked options to the written folder. Lives on every rank; folder and progress on rank 0 only.
class Decomposition {
 public:
  Decomposition(const Session& session, const DecomposeOptions& options, const OptionSchema& schema, int ranks_on_node,
                std::int64_t start_bytes)
      : world_(session.world),
        signals_(session.signals),
        options_(options),
        schema_(schema),
        ranks_on_node_(ranks_on_node),
        start_bytes_(start_bytes) {}

  int run() {
    const std::vector<int> grid = parse_grid(options_.grid, world_.size());
    if (world_.is_root()) folder_.emplace(options_.common.output, "decompose", options_.common.overwrite);
    load(grid);
    begin();
    const CpResult result = factor();
    write(result);
    return result.stopped == StopReason::requested ? exit_status(Category::interrupted) : 0;
  }

  /// The manifest says how the run ended.
  void finish(int status) {
    progress_.reset();
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
  void load(const std::vector<int>& grid) {
    const double start = seconds_now();
    LoadOptions load;
    load.index_base = options_.index_base;
    if (options_.dims) load.dims = *options_.dims;
    load.distribution.grid = grid;
    load.distribution.threads = options_.common.threads;
    tensor_ = load_tensor(world_, options_.input, load);
    const std::filesystem::path path = TensorFile::parse(options_.input).path;
    sha256_ = sha256_of_file(world_, path);
    if (world_.is_root()) facts_.labels = read_labels_beside(path, tensor_->shape());
    cp_.rank = options_.rank;
    cp_.constraints = parse_constraints(options_.constraints, tensor_->order());
    cp_.iterations = options_.iterations;
    cp_.tolerance = options_.tolerance;
    cp_.restarts = options_.restarts;
    cp_.seed = static_cast<std::uint64_t>(options_.common.seed);
    check_norm(*tensor_);
    check_cp_memory(*tensor_, options_.rank, ranks_on_node_);
    if (folder_) folder_->check_space(factor_bytes(tensor_->shape(), options_.rank));
    facts_.load_seconds = seconds_now() - start;
  }

  void begin() {
    const auto hosts = host_names(world_);
    if (!folder_) return;
    nlohmann::ordered_json manifest = manifest_of_build(world_.size(), hosts);
    manifest["command"] = "decompose";
    manifest["options"] = options_to_json(schema_);
    manifest["seed"] = options_.common.seed;
    manifest["input"] = {{"path", std::filesystem::absolute(options_.input).lexically_normal().string()},
                         {"sha256", sha256_}};
    folder_->begin(std::move(manifest));
    begun_ = true;
    ProgressSettings settings;
    settings.quiet = options_.common.quiet;
    settings.log = *folder_ / "progress.jsonl";
    settings.live = is_terminal(stderr);
    progress_.emplace(std::move(settings));
  }

  CpResult factor() {
    const double start = seconds_now();
    CpObserver observer;
    observer.stop = [&] { return signals_.local(); };
    observer.progress = [&](const CpStep& step) {
      ++facts_.total_iterations;
      if (!progress_) return;
      const double elapsed = seconds_now() - start;
      progress_->step({{"step", "sweep"},
                       {"restart", step.restart},
                       {"iteration", step.iteration},
                       {"fit", step.fit},
                       {"change", step.change},
                       {"seconds", elapsed}},
                      fmt::format("{}sweep {}  fit {:.6f}  change {:.1e}",
                                  options_.restarts > 1 ? fmt::format("start {}  ", step.restart + 1) : "",
                                  step.iteration, step.fit, step.change));
    };
    CpResult result = cp_als(*tensor_, cp_, observer);
    facts_.seconds = seconds_now() - start;
    if (progress_) progress_->finish();
    return result;
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
    facts_.duplicates = tensor_->duplicates();
    facts_.balance = tensor_->balance();
    facts_.grid = tensor_->grid().extents();
    facts_.mpi_ranks = world_.size();
    facts_.active_ranks = tensor_->grid().size();
    facts_.memory_bytes_max = world_.all_reduce_value(peak_resident_bytes() - start_bytes_, Reduction::maximum);
    facts_.regions = gather_regions(world_);
  }

  const Communicator& world_;
  const StopRequest& signals_;  // one that came while the input was read ends the run after its first sweep
  const DecomposeOptions& options_;
  const OptionSchema& schema_;
  int ranks_on_node_;
  std::int64_t start_bytes_;
  CpOptions cp_;
  std::unique_ptr<DistributedTensor> tensor_;
  std::string sha256_;
  DecomposeFacts facts_;
  std::optional<RunFolder> folder_;
  std::optional<Progress> progress_;
  bool begun_ = false;
};

}  // namespace

int run_decompose(std::span<const std::string> arguments, const Launch& launch) {
  DecomposeOptions options;
  OptionSchema schema("decompose", std::string(kDecomposeSummary));
  declare(schema, options);
  if (parse_command_line(schema, arguments) == CommandLineOutcome::help) {
    if (launch.is_first()) print_result(help_text(schema));
    return 0;
  }
  check_constraints(options.constraints);
  TensorFile::parse(options.input);

  return run_session(launch, [&](const Session& session) {
    const std::int64_t start_bytes = resident_bytes();
    const LaunchFacts facts = begin_computation(session.world, launch, options.common.threads, options.common.quiet);
    Decomposition decomposition(session, options, schema, facts.ranks_on_node, start_bytes);
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
