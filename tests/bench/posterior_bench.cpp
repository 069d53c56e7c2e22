// Log posterior of CP factors under mpirun, evaluated by all ranks as one group, beside the MTTKRPs of all modes of the same
// tensor. The likelihood is checked against a loop over the entries.
//
//   mpirun -n 2 posterior_bench cases=order3,order4 nonzeros=1e6 rank=16 exponent=1 only=poisson,unobserved threads=1
#include <fmt/format.h>

#include <cmath>

#include "core/tensor/gram.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/environment.hpp"
#include "distributed/tempering/cp_posterior.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/generated.hpp"
#include "tests/bench/mpi_timing.hpp"
#include "tests/bench/sparse_work.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr double kAgree = 1e-9;

/// Every size()-th nonzero, as if a rank had read them.
std::vector<SparseTensor> dealt(const Communicator& world, const SparseTensor& tensor) {
  std::vector<SparseTensor> mine(1, SparseTensor(tensor.shape()));
  std::vector<Index> cell(tensor.shape().size());
  for (Index k = world.rank(); k < tensor.nonzeros(); k += world.size()) {
    for (int mode = 0; mode < tensor.order(); ++mode)
      cell[static_cast<std::size_t>(mode)] = tensor.indices(mode)[static_cast<std::size_t>(k)];
    mine.front().append(cell, tensor.values()[static_cast<std::size_t>(k)]);
  }
  return mine;
}

/// Factors as they lie in θ.
std::vector<FactorMatrix> factors_of(std::span<const double> theta, const std::vector<Index>& shape, Index rank) {
  std::vector<FactorMatrix> factors;
  const double* from = theta.data();
  for (const Index size : shape) {
    FactorMatrix& factor = factors.emplace_back(size, rank);
    for (Index i = 0; i < size; ++i, from += rank) std::copy_n(from, rank, factor.row(i));
  }
  return factors;
}

/// By a loop over the entries; what other cells add, if they do, by Gram matrices or column sums.
double direct_likelihood(const SparseTensor& tensor, const std::vector<FactorMatrix>& factors, bool counts, bool zeros,
                         double sd) {
  double sum = 0, sum_m = 0, squares = 0;
  const Index rank = factors.front().columns();
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    double m = 0;
    const double x = tensor.values()[k];
    for (Index r = 0; r < rank; ++r) {
      double product = 1;
      for (int mode = 0; mode < tensor.order(); ++mode)
        product *= factors[static_cast<std::size_t>(mode)](tensor.indices(mode)[k], r);
      m += product;
    }
    sum_m += m;
    squares += m * m;
    sum += counts ? x * std::log(m) - m - std::lgamma(x + 1) : -0.5 * (x - m) * (x - m);
  }
  double all = 0;
  if (counts) {
    for (Index r = 0; r < rank; ++r) {
      double product = 1;
      for (const FactorMatrix& factor : factors) {
        double column = 0;
        for (Index i = 0; i < factor.rows(); ++i) column += factor(i, r);
        product *= column;
      }
      all += product;
    }
    return sum - (zeros ? all - sum_m : 0);
  }
  std::vector<GramMatrix> grams;
  for (const FactorMatrix& factor : factors) grams.push_back(gram(factor, 0, factor.rows()));
  const GramMatrix product = hadamard(grams, -1);
  for (const double entry : product.values) all += entry;
  if (zeros) sum -= 0.5 * (all - squares);
  const double observed = zeros ? cell_count(tensor.shape()) : static_cast<double>(tensor.nonzeros());
  return sum / (sd * sd) - observed * (std::log(sd) + 0.5 * std::log(2 * M_PI));
}

struct Timed {
  Timing value, gradient;
  bool correct = true;
};

/// On the leader; the others serve.
Timed evaluated(const SparseTensor& tensor, CpPosterior& posterior, bool counts, bool zeros) {
  Timed timed;
  GroupTarget& target = *posterior.target;
  const auto size = static_cast<std::size_t>(target.dimension());
  std::vector<double> u(size), reference(size), likelihood(size), theta(size);
  RandomStream stream(1, "posterior-bench");
  target.sample_reference(stream, u);
  double value = 0, with_gradient = 0;
  timed.value = time_runs([&] { value = target.evaluate(u).likelihood; });
  timed.gradient = time_runs([&] { with_gradient = target.evaluate(u, reference, likelihood).likelihood; });
  target.constrain(u, theta);
  const double sd = counts ? 0 : theta.back();
  const double expected =
      direct_likelihood(tensor, factors_of(theta, tensor.shape(), posterior.options.rank), counts, zeros, sd);
  timed.correct = std::abs(value - expected) < kAgree * std::abs(expected) && with_gradient == value;
  target.release();
  return timed;
}

void bench_tensor(const Communicator& world, const SparseTensor& tensor, const std::string& where, Index rank,
                  const Settings& settings, Report& report) {
  const CsfSet trees(NonzeroList(tensor), CsfPolicy::all);
  Work work = sweep_work(trees, tensor.shape(), rank);
  work.flops /= world.size();
  for (Traffic& part : work.traffic) part.bytes /= world.size();
  for (const bool zeros : {true, false}) {
    DistributionOptions distribution;
    distribution.missing = zeros ? Missing::zero : Missing::unobserved;
    distribution.threads = static_cast<int>(settings.integer("threads"));
    const auto spread = distribute(world, tensor.shape(), dealt(world, tensor), distribution);
    double mttkrps = 0;
    if (zeros) {
      std::vector<FactorMatrix> factors, results;
      for (int mode = 0; mode < tensor.order() && spread->active(); ++mode) {
        factors.push_back(generated_matrix(spread->rows(mode).rows(), rank, mode));
        results.emplace_back(spread->rows(mode).rows(), rank);
      }
      const Timing timing = time_on_all(world, [&] {
        for (int mode = 0; mode < tensor.order() && spread->active(); ++mode)
          spread->mttkrp(factors, mode, results[static_cast<std::size_t>(mode)]);
      });
      mttkrps = timing.best;
      report.add(where, "mttkrp of all modes", timing, work, true);
    }
    for (const bool counts : {true, false}) {
      const std::string kind = fmt::format("{}{}", counts ? "poisson" : "gaussian", zeros ? "" : ", unobserved");
      if (!settings.wants(counts ? "poisson" : "gaussian") || (!zeros && !settings.wants("unobserved"))) continue;
      CpModelOptions options;
      options.rank = rank;
      options.likelihood = counts ? CpLikelihood::poisson : CpLikelihood::gaussian;
      options.threads = static_cast<int>(settings.integer("threads"));
      CpPosterior posterior = cp_posterior(*spread, options);
      Timed timed;
      if (world.is_root())
        timed = evaluated(tensor, posterior, counts, zeros);
      else
        posterior.target->serve();
      if (!world.is_root()) continue;
      report.add(where, fmt::format("value, {}", kind), timed.value, work, timed.correct);
      report.add(where, fmt::format("value and gradient, {}", kind), timed.gradient, work, timed.correct);
      if (zeros)
        report.note(
            fmt::format("{}, {}: {:.0f} values or {:.0f} gradients a second; a gradient takes {:.2f} times the "
                        "MTTKRPs",
                        where, kind, 1 / timed.value.best, 1 / timed.gradient.best, timed.gradient.best / mttkrps));
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv,
                          {{"cases", "order3,order4"},
                           {"nonzeros", "1e5"},
                           {"exponent", "1"},
                           {"rank", "16"},
                           {"threads", "1"},
                           {"only", ""}});
  const MpiEnvironment environment(argc, argv);
  const Communicator world(MPI_COMM_WORLD);
  return collectively(world, [&] {
    Report report("posterior", settings, world.is_root());
    for (const std::string& name : settings.texts("cases"))
      for (const Index nonzeros : settings.integers("nonzeros")) {
        SparseTensor tensor = generated(sparse_case(name, nonzeros, settings.number("exponent")), true);
        tensor.sum_duplicates();
        for (const Index rank : settings.integers("rank"))
          bench_tensor(world, tensor,
                       fmt::format("{} {} nonzeros, exponent {}, rank {}, {} MPI ranks", name, tensor.nonzeros(),
                                   settings.number("exponent"), rank, world.size()),
                       rank, settings, report);
      }
    return report.finish();
  });
}
