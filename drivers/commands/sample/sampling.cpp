#include "drivers/commands/sample/sampling.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "core/base/option_json.hpp"
#include "core/sampling/explorers/explorers.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/gather_regions.hpp"
#include "distributed/communicator/objects.hpp"
#include "distributed/tempering/draw_summary.hpp"
#include "drivers/commands/sample/draws_file.hpp"
#include "drivers/commands/sample/sample_problem.hpp"
#include "drivers/commands/sample/sample_report.hpp"
#include "drivers/session.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr auto kBetweenLines = std::chrono::seconds(1);
constexpr Index kLeastDrawsToTell = 16;

/// The options that change the result, as the checkpoints remember them. The number of rounds may grow.
Json configuration_of(const OptionSchema& schema) {
  Json values = options_to_json(schema)["values"];
  Json configuration;
  for (const char* name :
       {"target", "set", "rank", "likelihood", "noise-sd", "prior-scale", "prior-shape", "prior-rate", "missing",
        "index-base", "holdout", "replicas", "copies", "explorer", "reference", "thin", "keep", "seed"})
    configuration[name] = values.at(name);
  return configuration;
}

Index scans_before(int round) {
  return (Index{1} << round) - 2;
}

std::string place_of(const Json& progress) {
  return fmt::format("round {}, scan {}", progress.at("round").get<int>(), progress.at("scan").get<Index>());
}

/// What sampling does within the frame of its run. Lives on every rank.
class Sampling {
 public:
  Sampling(const Session& session, const SampleTask& task, int ranks_on_node)
      : world_(session.world),
        task_(task),
        options_(task.options),
        ranks_on_node_(ranks_on_node),
        start_bytes_(resident_bytes()),
        frame_(session, {"sample", task.options.common, task.schema, task.start, task.resume}) {}

  RunFrame& frame() { return frame_; }
  static int recorded(int status) { return status; }

  int run() {
    frame_.open_folder();
    problem_.emplace(make_problem(world_, options_, task_.resume ? task_.resume->input_sha256 : "", ranks_on_node_));
    tempering_ = tempering_options(options_, problem_->target());
    if (leads()) names_ = parameter_names(problem_->target());
    check_draws_layout(options_, problem_->target());
    if (problem_->built_in && !task_.resume)
      check_density(*problem_->built_in, options_, tempering_.seed);  // the same on every rank
    begin();
    const int stopped_at = sample();
    if (stopped_at > 0) return frame_.leave(fmt::format("round {}, scan {}", stopped_at, last_scan_));
    report();
    return 0;
  }

 private:
  bool leads() const { return problem_->groups.leaders.size() > 0; }
  const Communicator& leaders() const { return problem_->groups.leaders; }

  void begin() {
    Json input = nullptr;
    if (!problem_->input.empty())
      input = {{"path", std::filesystem::absolute(problem_->input).lexically_normal().string()},
               {"sha256", problem_->sha256}};
    frame_.begin({{"input", std::move(input)}});
  }

  /// The round in which it was left, 0 if it came to its end.
  int sample() {
    int stopped_at = 0;
    const double bytes = 8.0 * static_cast<double>(problem_->target().dimension() * 40);
    const RunPosition position{[this] { return describe(); }, [this](const Json& progress) { restore(progress); },
                               place_of};
    frame_.compute(configuration_of(task_.schema), problem_->sha256, bytes, position,
                   [&](Checkpoints& checkpoints) { collectively(world_, [&] { stopped_at = work(checkpoints); }); });
    return world_.broadcast_value(stopped_at, 0);
  }

  int work(Checkpoints& checkpoints) {
    if (!leads()) {
      problem_->posterior->target->serve();
      return 0;
    }
    const auto explorer = make_explorer(explorer_name(options_, problem_->target()));
    if (problem_->posterior && explorer->needs_gradient() && !frame_.resumed())
      collectively(leaders(), [&] {
        if (leaders().is_root()) check_density(*problem_->posterior->target, options_, tempering_.seed);
      });
    TemperingObserver observer;
    observer.checkpoints = &checkpoints;
    observer.scan = [this](int round, Index scan) { note_scan(round, scan); };
    observer.round = [this](const TemperingRound& round, const DrawStore& draws) { note_round(round, draws); };
    if (options_.until())
      observer.enough = [this](const auto& round, const auto& draws) { return enough(round, draws); };
    const TemperingResult result = sample_by_tempering(leaders(), problem_->target(), *explorer, tempering_, observer);
    if (!result.stopped) collect(result);
    if (problem_->posterior) problem_->posterior->target->release();
    return result.stopped ? result.round : 0;
  }

  // --- progress, on rank 0 ------------------------------------------------------------------------------------------

  void note_scan(int round, Index scan) {
    last_round_ = round;
    last_scan_ = scan;
    const auto now = Clock::now();
    if (now - last_line_ < kBetweenLines) return;
    last_line_ = now;
    frame_.step({{"step", "scan"}, {"iteration", scans_before(round) + scan}, {"round", round}},
                fmt::format("round {}  scan {} of {}", round, scan, Index{1} << round));
  }

  void note_round(const TemperingRound& round, const DrawStore&) {
    last_scan_ = round.scans;
    last_line_ = Clock::now();
    Json record = {{"step", "scan"}, {"iteration", scans_before(round.round) + round.scans}, {"round", round.round}};
    std::string line = fmt::format("round {:2}  {:6} scans", round.round, round.scans);
    if (round.schedule.size() > 1) {
      record["replicas"] = round.schedule.size();
      record["barrier"] = std::isfinite(round.barrier) ? Json(round.barrier) : Json(nullptr);
      record["round_trips"] = round.round_trips;
      record["log_evidence"] = std::isfinite(round.evidence.estimate) ? Json(round.evidence.estimate) : Json(nullptr);
      line += fmt::format("  {} replicas  barrier {:.2f}  log Z {:.4g}", round.schedule.size(), round.barrier,
                          round.evidence.estimate);
      if (std::isfinite(round.evidence.standard_error)) line += fmt::format(" ± {:.2g}", round.evidence.standard_error);
      line += fmt::format("  {} round trip{}", round.round_trips, round.round_trips == 1 ? "" : "s");
    }
    frame_.step(record, line);
  }

  Json describe() const {
    return {{"step", "scan"},
            {"iteration", scans_before(std::max(1, last_round_)) + last_scan_},
            {"round", last_round_},
            {"scan", last_scan_}};
  }

  void restore(const Json& progress) {
    last_round_ = progress.at("round");
    last_scan_ = progress.at("scan");
  }

  // --- results, on the leaders --------------------------------------------------------------------------------------

  std::vector<ParameterSummary> summaries_of(const TemperingRound& round, const DrawStore& draws) const {
    return summarise_draws(leaders(), draws, problem_->target().constrained_size(),
                           target_streams(tempering_, round.sizes));
  }

  bool enough(const TemperingRound& round, const DrawStore& draws) const {
    if (draws.draws() < kLeastDrawsToTell) return false;
    const WorstParameters worst = worst_of(summaries_of(round, draws));
    return worst.known && worst.rhat <= options_.until_rhat.value_or(INFINITY) &&
           std::min(worst.ess_bulk, worst.ess_tail) >= options_.until_ess.value_or(0);
  }

  std::optional<PredictionScore> predict(const TemperingRound& round, const DrawStore& draws) const {
    if (!problem_->posterior || problem_->posterior->held.empty()) return std::nullopt;
    HeldOutPrediction prediction(leaders(), problem_->posterior->options, problem_->shape, problem_->posterior->held);
    prediction.add(draws, target_streams(tempering_, round.sizes));
    return prediction.score();
  }

  void add_copies_and_temperatures(const DrawStore& draws, SampleFacts& facts) const {
    const Index columns = problem_->target().constrained_size();
    if (tempering_.ladders > 1) {
      std::vector<int> ladders;
      for (int ladder = 0; ladder < tempering_.ladders; ++ladder)
        ladders.insert(ladders.end(), facts.last().sizes.size(), ladder);
      facts.nested = nested_rhats(leaders(), draws, columns, target_streams(tempering_, facts.last().sizes), ladders);
    }
    if (tempering_.keep_all && facts.last().sizes.size() == 1 && facts.last().schedule.size() > 1)
      facts.weighted = summarise_weighted(leaders(), draws, columns,
                                          weights_of_draws(leaders(), tempering_, facts.last().schedule, draws));
  }

  void collect(const TemperingResult& result) {
    const auto region = leaders().regions().open("results");
    SampleFacts& facts = facts_.emplace();
    facts.what = options_.sampled();
    facts.tempering = tempering_;
    facts.explorer = explorer_name(options_, problem_->target());
    facts.rounds = result.rounds;
    facts.names = names_;
    facts.summaries = summaries_of(facts.last(), *result.draws);
    add_copies_and_temperatures(*result.draws, facts);
    facts.streams = std::ssize(target_streams(tempering_, facts.last().sizes));
    facts.draws = result.draws->draws();
    facts.improper = problem_->target().improper_parameter();
    facts.absolute = tells_evidence(tempering_, problem_->target());
    facts.exact_log_evidence = problem_->exact_log_evidence;
    facts.energy = energy_facts(leaders(), *make_explorer(facts.explorer), tempering_, facts.last(), *result.draws);
    if (problem_->posterior) facts.model = problem_->posterior->options;
    facts.holdout = predict(facts.last(), *result.draws);
    facts.mpi_ranks = world_.size();
    RunFolder* const folder = frame_.folder();
    write_draws_file(leaders(), folder != nullptr ? *folder / "draws.nc" : std::filesystem::path(), options_,
                     problem_->target(), facts, *result.draws);
    facts.seconds = frame_.seconds();
  }

  /// Once no rank serves another any more.
  void report() {
    const auto growth = world_.all_reduce_value(peak_resident_bytes() - start_bytes_, Reduction::maximum);
    auto regions = gather_regions(world_);
    if (frame_.folder() == nullptr) return;
    facts_->memory_bytes_max = growth;
    facts_->regions = std::move(regions);
    frame_.deliver(sample_summary(options_, *facts_),
                   [&] { return sample_text(options_, *facts_, frame_.folder()->path().string()); });
  }

  const Communicator& world_;
  const SampleTask& task_;
  const SampleOptions& options_;
  std::optional<SampleProblem> problem_;
  TemperingOptions tempering_;
  std::vector<std::string> names_;
  std::optional<SampleFacts> facts_;
  int ranks_on_node_;
  std::int64_t start_bytes_;
  int last_round_ = 1;
  Index last_scan_ = 0;
  Clock::time_point last_line_ = Clock::now();
  RunFrame frame_;
};

}  // namespace

int run_sampling(const Launch& launch, const SampleTask& task) {
  const CommonOptions& common = task.options.common;
  return run_session(launch, [&](const Session& session) {
    const LaunchFacts facts = begin_computation(session.world, launch, common.threads, common.quiet);
    return sample(session, task, facts.ranks_on_node);
  });
}

int sample(const Session& session, const SampleTask& task, int ranks_on_node) {
  Sampling sampling(session, task, ranks_on_node);
  return run_framed(session.world, sampling);
}

}  // namespace tempera::drivers
