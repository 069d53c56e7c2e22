// What a proposal costs after n trials, by all ranks of mpirun together: of consecutive ones, each told its value, the middle
// one, the mean (with the refits that fell among them) and the first, which a proposer without a past makes; and the parts of
// one: a fit that goes on from the one before, a row appended, candidates scored, starts polished. Alone in seconds of the
// processor, with more ranks in those of the clock. shared=N and spread=N: see ShardedGpMaker.
//
//   mpirun -n 2 proposal_bench points=100,500,1000 hyperparameters=map,bayes objective=hartmann6 proposals=25 pending=0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>

#include "core/bayesopt/candidates.hpp"
#include "core/bayesopt/gp_proposer.hpp"
#include "core/bayesopt/objectives.hpp"
#include "core/bayesopt/sobol.hpp"
#include "distributed/bayesopt/rank_team.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/environment.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/mpi_timing.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr std::uint64_t kSeed = 5;
constexpr Index kRows = 8;

double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// As late in a run: every other point near the optimum, the rest anywhere.
std::vector<Trial> past(const TestObjective& objective, Index n) {
  const Space& space = objective.space();
  const ScrambledSobol sobol(space.size(), kSeed, "proposal-bench");
  std::vector<Trial> trials;
  for (Index i = 0; i < n; ++i) {
    const Eigen::VectorXd unit = sobol.points(i, 1);
    Point point = space.from_unit({unit.data(), static_cast<std::size_t>(unit.size())});
    if (i > n / 4 && i % 2 == 1) {
      RandomStream stream(kSeed, "proposal-bench-near", {i});
      point = perturbed_point(space, trials[static_cast<std::size_t>(i - 1 - i / 4)].point, 0.05, stream);
    }
    Trial trial{i, std::move(point), {}};
    trial.result.value = objective.evaluate(trial.point, kSeed, i);
    trials.push_back(std::move(trial));
  }
  return trials;
}

struct Bench {
  const Communicator& world;
  TestObjective objective;
  Index proposals, pending;
  ShardedGpMaker::Limits limits;
  std::string only;

  double seconds() const { return world.size() > 1 ? seconds_now() : processor_seconds(); }
  double timed(const std::function<void()>& body) const {
    world.barrier();
    const double start = seconds();
    body();
    return world.all_reduce_value(seconds() - start, Reduction::maximum);
  }
};

void bench_proposals(const Bench& bench, Index n, const GpProposerOptions& options, const std::string& method,
                     Report& report) {
  GpProposer proposer(bench.objective.space(), options);
  std::vector<Trial> trials = past(bench.objective, n);
  std::vector<double> seconds;
  double first = 0, mean = 0;
  Index refits = 0, fitted = 0;
  for (Index k = 0; k <= bench.proposals; ++k) {
    std::vector<PendingTrial> waiting;
    for (Index p = 0; p < bench.pending; ++p) waiting.push_back({n + k + p, trials[static_cast<std::size_t>(p)].point});
    for (PendingTrial& trial : waiting) trial.point[0] = std::fmod(trial.point[0] + 0.5, 1.0);
    Proposal proposal;
    const double once = bench.timed([&] { proposal = proposer.propose(n + k, trials, waiting); });
    (k == 0 ? first : seconds.emplace_back()) = once;
    if (k > 0) mean += once / static_cast<double>(bench.proposals);
    const auto at = proposal.why.value("fitted", Index{0});
    if (k > 0 && at != fitted) ++refits;
    fitted = at;
    Trial trial{n + k, proposal.point, {}};
    trial.result.value = bench.objective.evaluate(trial.point, kSeed, n + k);
    trials.push_back(std::move(trial));
  }
  const std::string where = fmt::format("n={} ranks={}", n, bench.world.size());
  report.add(where, method, timing_of(seconds), {}, true,
             {{"mean_seconds", mean}, {"first_seconds", first}, {"refits", refits}});
  report.note(fmt::format("{:18} {:5}: {:8.1f} ms a proposal, middle {:8.1f}, first {:8.0f}; {} refits of {}", where,
                          method, 1e3 * mean, 1e3 * timing_of(seconds).median, 1e3 * first, refits, bench.proposals));
}

void bench_parts(const Bench& bench, Index n, const GpProposerOptions& options, const std::string& method,
                 Report& report) {
  const Space& space = bench.objective.space();
  std::vector<double> values;
  std::vector<Point> tried;
  Eigen::MatrixXd columns(space.features(), n + kRows);
  for (const Trial& trial : past(bench.objective, n + kRows)) {
    space.encode(trial.point, {columns.col(std::ssize(values)).data(), static_cast<std::size_t>(columns.rows())});
    values.push_back(trial.result.value);
    tried.push_back(trial.point);
  }
  const Eigen::MatrixXd points = columns.transpose();
  const auto some = std::span(values).first(static_cast<std::size_t>(n));
  const auto kernels = kernels_of(space, options.model.kernels);
  ModelTeam& team = *options.team;
  FittedGp fit = fit_gp(kernels, points.topRows(n), some, options.model, kSeed, team);
  const Index evaluations = fit.evaluations;
  const double fitting =
      bench.timed([&] { fit = fit_gp(kernels, points.topRows(n), some, options.model, kSeed, team, &fit); });
  std::vector<GpSurrogate::Process> processes;
  std::vector<std::unique_ptr<GaussianProcess>> growing;
  for (const GpModel& model : fit.draws) {
    processes.push_back(team.maker().process(model, points.topRows(n), fit.warp.warped(some)));
    growing.push_back(processes.back()->clone());
  }
  const double appending = bench.timed([&] {
    for (const auto& process : growing)
      for (Index row = n; row < n + kRows; ++row)
        process->append(points.row(row), Eigen::VectorXd::Constant(1, fit.warp.warped(some)[row - n]));
  });
  const GpSurrogate model(processes);
  const ModelAcquisition acquisition(options.acquisition, model);
  PointSet known;
  for (const Point& point : tried) known.insert(point);
  std::vector<Point> candidates;
  const double drawing = bench.timed([&] { candidates = candidate_points(space, tried, known, kSeed, n); });
  const bool spread = team.maker().spreads(n);
  SearchOptions search_options = options.search;
  if (spread) {
    search_options.together = search_options.starts;
    search_options.block = 1024;
  }
  const AcquisitionSearch search(space, acquisition, search_options);
  std::vector<double> scores;
  const double scoring = bench.timed([&] {
    for (const auto& block :
         team.dealer(spread).deal(search.blocks(candidates), [&](Index k) { return search.score(candidates, k); }))
      scores.insert(scores.end(), block.begin(), block.end());
  });
  const std::vector<Index> starts = search.starts(candidates, scores);
  const double polishing = bench.timed([&] {
    const Index groups = (std::ssize(starts) + search_options.together - 1) / search_options.together;
    team.dealer(spread).deal(groups, [&](Index group) {
      std::vector<ScoredPoint> together;
      std::vector<RandomStream> streams;
      for (Index k = group * search_options.together;
           k < std::min<Index>(std::ssize(starts), (group + 1) * search_options.together); ++k) {
        const auto i = static_cast<std::size_t>(starts[static_cast<std::size_t>(k)]);
        together.push_back({candidates[i], scores[i]});
        streams.push_back(RandomStream(kSeed, "proposal-bench", {k}));
      }
      return std::vector{search.polish(together, streams).front().value};
    });
  });
  report.note(fmt::format(
      "n={} ranks={} {:5}: refit {:.1f} ms ({} evaluations, from scratch {}), a row {:.2f}, candidates {:.1f}, "
      "scores {:.1f}, polish {:.1f}",
      n, bench.world.size(), method, 1e3 * fitting, fit.evaluations, evaluations, 1e3 * appending / kRows,
      1e3 * drawing, 1e3 * scoring, 1e3 * polishing));
}

int run(const Communicator& world, const Settings& settings) {
  Report report("proposal_bench", settings, world.is_root());
  const Bench bench{world,
                    TestObjective(settings.text("objective")),
                    settings.integer("proposals"),
                    settings.integer("pending"),
                    {settings.integer("shared"), settings.integer("spread"), kShardBlock},
                    settings.text("only")};
  for (const std::string& method : settings.texts("hyperparameters"))
    for (const Index n : settings.integers("points")) {
      const auto team = std::make_shared<RankTeam>(bench.limits);
      if (world.size() > 1) team->join(world);
      GpProposerOptions options;
      options.seed = kSeed;
      options.team = team;
      options.model.hyperparameters.method = method == "map" ? HyperMethod::map : HyperMethod::bayes;
      if (settings.wants("proposals")) bench_proposals(bench, n, options, method, report);
      if (settings.wants("parts")) bench_parts(bench, n, options, method, report);
    }
  return report.finish();
}

}  // namespace

int main(int argc, char** argv) {
  const MpiEnvironment environment(argc, argv);
  const Settings settings(argc, argv,
                          {{"points", "100,500"},
                           {"hyperparameters", "map"},
                           {"objective", "hartmann6"},
                           {"proposals", "25"},
                           {"pending", "0"},
                           {"shared", std::to_string(kShardedFrom)},
                           {"spread", std::to_string(kSpreadFrom)},
                           {"only", ""}});
  const Communicator world(MPI_COMM_WORLD);
  return collectively(world, [&] { return run(world, settings); });
}
