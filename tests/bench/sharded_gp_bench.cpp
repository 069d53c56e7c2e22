// Evaluations of the sharded Gaussian process under mpirun: PDPOTRF inside an evaluation of the evidence beside PDPOTRF alone on
// the same grid, what all the rest costs, gradient and predictions; the evidence is checked against the serial process. With
// large=40000 one evaluation in place (12.8 GB over the ranks), checked against the closed form of a Markov process.
//
//   mpirun -n 2 sharded_gp_bench n=8000 features=6 runs=3 large=0 only=evidence,gradient,predict
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/memory.hpp"
#include "core/base/random_stream.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/environment.hpp"
#include "distributed/gaussian_process/sharded_gp.hpp"
#include "distributed/linalg/detail/scalapack.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/mpi_timing.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr double kAgree = 1e-9;
constexpr Index kOnceFrom = 4000;  // points of the serial process that is run once only

double factor_flops(Index n) {
  const auto order = static_cast<double>(n);
  return order * order * order / 3;
}

/// What one rank of several does.
Work share_of(double flops, double bytes, const Communicator& world) {
  return {flops / world.size(), {{bytes / world.size(), bytes / world.size()}}};
}

Eigen::MatrixXd random_points(Index n, Index features) {
  RandomStream stream(3, "sharded-gp-bench", {n, features});
  return Eigen::MatrixXd::NullaryExpr(n, features, [&] { return stream.uniform(); });
}

GpModel matern(Index features, double length) {
  std::vector<Index> groups;
  std::vector<std::string> names;
  for (Index f = 0; f < features; ++f) {
    groups.push_back(f);
    names.push_back(fmt::format("x{}", f));
  }
  GpModel model{scaled(stationary_kernel(KernelShape::matern52, groups, names)),
                Eigen::VectorXd::Constant(features + 1, std::log(length)), 1e-3, 1};
  model.theta[0] = 0;
  return model;
}

/// Seconds of PDPOTRF by itself, of a matrix that is filled as in an evaluation.
double factor_alone(const Communicator& world, const ShardedGp& gp, BlockCyclicMatrix& matrix) {
  fill_covariance(gp.model(), gp.points(), gp.model().noise + gp.jitter(), matrix);
  world.barrier();
  const double start = seconds_now();
  if (matrix.grid().active()) {
    const auto n = static_cast<int>(matrix.rows());
    const int one = 1;
    int info = 0;
    pdpotrf_("L", &n, matrix.data(), &one, &one, matrix.descriptor(), &info);
  }
  return world.all_reduce_value(seconds_now() - start, Reduction::maximum);
}

/// Inside and alone take turns, so that what else the machine does meets both.
void bench_evidence(const Communicator& world, const std::string& where, ShardedGp& gp, Index runs, Report& report) {
  const std::vector<std::string> parts = {"assemble", "factor", "solve"};
  BlockCyclicMatrix matrix(gp.grid(), gp.size(), gp.size(), kShardBlock);
  std::vector<double> alone, whole;
  std::vector<std::vector<double>> spent(parts.size());
  for (Index run = 0; run < runs; ++run) {
    alone.push_back(factor_alone(world, gp, matrix));
    std::vector<double> before;
    for (const std::string& part : parts) before.push_back(region_seconds(world, part));
    const double start = seconds_now();
    gp.set_model(matern(gp.points().cols(), 0.5));
    whole.push_back(world.all_reduce_value(seconds_now() - start, Reduction::maximum));
    for (std::size_t p = 0; p < parts.size(); ++p) spent[p].push_back(region_seconds(world, parts[p]) - before[p]);
  }
  bool correct = true;
  std::vector<double> serial_seconds;
  for (Index run = 0; run < (gp.size() > kOnceFrom ? 1 : runs); ++run) {
    if (world.is_root()) {
      const double start = seconds_now();
      const ExactGp serial(gp.model(), gp.points(), gp.values());
      serial_seconds.push_back(seconds_now() - start);
      correct = std::abs(gp.log_evidence() - serial.log_evidence()) <= kAgree * std::abs(serial.log_evidence());
    }
    world.barrier();
  }
  correct = all_of(world, correct);
  const Timing inside = timing_of(spent[1]);
  const Timing evaluation = timing_of(whole);
  const Timing by_itself = timing_of(alone);
  const double bytes = 8.0 * static_cast<double>(gp.size() * gp.size());
  const Work work = share_of(factor_flops(gp.size()), bytes, world);
  if (world.is_root())
    report.add(where, "evidence, serial", timing_of(serial_seconds), {work.flops * world.size(), {}}, true);
  report.add(where, "PDPOTRF alone", by_itself, work, true);
  report.add(where, "PDPOTRF inside", inside, work, correct, {{"of_alone", by_itself.best / inside.best}});
  report.add(where, "evidence", evaluation, work, correct,
             {{"factor_seconds", inside.best},
              {"rest_of_evaluation", 1 - inside.best / evaluation.best},
              {"assemble_seconds", timing_of(spent[0]).best},
              {"solve_seconds", timing_of(spent[2]).best}});
  report.note(
      fmt::format("{}: PDPOTRF inside at {:.0f} % of its rate alone (best of {}; medians {:.0f} %); assembly {:.2f} s, "
                  "solve {:.2f} s, everything but PDPOTRF {:.1f} % of an evaluation",
                  where, 100 * by_itself.best / inside.best, runs, 100 * by_itself.median / inside.median,
                  timing_of(spent[0]).best, timing_of(spent[2]).best, 100 * (1 - inside.best / evaluation.best)));
}

void bench_gradient(const Communicator& world, const std::string& where, const ShardedGp& gp, Report& report) {
  const double before[2] = {region_seconds(world, "inverse"), region_seconds(world, "contract")};
  const double start = seconds_now();
  const EvidenceGradient gradient = gp.evidence_gradient();
  const double seconds = world.all_reduce_value(seconds_now() - start, Reduction::maximum);
  report.add(where, "gradient", timing_of({seconds}),
             share_of(2 * factor_flops(gp.size()), 8.0 * static_cast<double>(gp.size() * gp.size()), world),
             gradient.theta.allFinite());
  report.note(fmt::format("{}: gradient, inverse {:.2f} s, contraction {:.2f} s", where,
                          region_seconds(world, "inverse") - before[0], region_seconds(world, "contract") - before[1]));
}

void bench_predict(const Communicator& world, const std::string& where, const ShardedGp& gp, Report& report) {
  constexpr Index kCandidates = 2048;
  const Eigen::MatrixXd candidates = random_points(kCandidates, gp.points().cols());
  Eigen::VectorXd mean, variance;
  const double start = seconds_now();
  gp.predict(candidates, mean, variance);
  const double seconds = world.all_reduce_value(seconds_now() - start, Reduction::maximum);
  const double prior = gp.model().kernel->variance(gp.model().theta) + gp.model().constant;
  const auto n = static_cast<double>(gp.size());
  report.add(where, fmt::format("predict {}", kCandidates), timing_of({seconds}),
             share_of(n * n * kCandidates, 4 * n * n, world),
             mean.allFinite() && variance.minCoeff() >= 0 && variance.maxCoeff() <= prior);
}

/// exp(−|t − t′|/ℓ) at equal steps is a Markov chain with correlation ρ: its evidence is a sum over steps.
void bench_large(const Communicator& world, Index n, Index model_ranks, Report& report) {
  const double needed = 8.0 * static_cast<double>(n) * static_cast<double>(n);
  const double free = world.broadcast_value(available_memory(), 0);
  if (needed > 0.95 * free) {
    report.note(fmt::format("n = {}: skipped, it needs {:.1f} GB and {:.1f} are free", n, needed / 1e9, free / 1e9));
    return;
  }
  constexpr double kRho = 0.5;
  const GpModel model{stationary_kernel(KernelShape::matern12, {0}, {"t"}),
                      Eigen::VectorXd::Constant(1, std::log(-1 / std::log(kRho))), 0, 0};
  Eigen::MatrixXd steps(n, 1);
  Eigen::VectorXd values(n);
  for (Index i = 0; i < n; ++i) {
    steps(i, 0) = static_cast<double>(i);
    values[i] = std::sin(0.3 * static_cast<double>(i));
  }
  double square = values[0] * values[0];
  for (Index i = 1; i < n; ++i) square += std::pow(values[i] - kRho * values[i - 1], 2) / (1 - kRho * kRho);
  const auto order = static_cast<double>(n);
  const double expected =
      -0.5 * (square + (order - 1) * std::log(1 - kRho * kRho) + order * std::log(2 * std::numbers::pi));
  const double start = seconds_now();
  const ShardedGp gp(shard_grid(world, n, static_cast<int>(model_ranks)), model, steps, values);
  const double seconds = world.all_reduce_value(seconds_now() - start, Reduction::maximum);
  constexpr double kAgreeWithJitter = 1e-8;  // which adds 1e-10 to each diagonal entry
  const std::string where = fmt::format("n = {}, {} MPI ranks", n, world.size());
  report.add(where, "evidence in place", timing_of({seconds}), share_of(factor_flops(n), needed, world),
             std::abs(gp.log_evidence() - expected) <= kAgreeWithJitter * std::abs(expected),
             {{"factor_seconds", region_seconds(world, "factor")}, {"matrix_bytes", needed}});
  report.note(fmt::format("{}: {:.0f} s, error of the evidence {:.1e} of itself", where, seconds,
                          std::abs(gp.log_evidence() / expected - 1)));
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv, {{"n", "8000"}, {"features", "6"}, {"runs", "3"}, {"large", "0"}, {"only", ""}});
  const MpiEnvironment environment(argc, argv);
  const Communicator world(MPI_COMM_WORLD);
  return collectively(world, [&] {
    Report report("sharded_gp", settings, world.is_root());
    for (const Index n : settings.integers("n")) {
      if (n == 0) continue;
      const Index features = settings.integer("features");
      const Eigen::MatrixXd points = random_points(n, features);
      const Eigen::VectorXd values = (5 * points.rowwise().sum().array()).sin();
      ShardedGp gp(BlacsGrid(world), matern(features, 0.5), points, values);
      const std::string where = fmt::format("n = {}, {} features, {} MPI ranks", n, features, world.size());
      if (settings.wants("evidence")) bench_evidence(world, where, gp, settings.integer("runs"), report);
      if (settings.wants("gradient")) bench_gradient(world, where, gp, report);
      if (settings.wants("predict")) bench_predict(world, where, gp, report);
    }
    for (const Index n : settings.integers("large"))
      if (n > 0) bench_large(world, n, world.size(), report);
    return report.finish();
  });
}
