// Kernels on sparse tensors on one core: building the storage, MTTKRP of all modes by storage, residual sums,
// log-likelihoods and the products of counts. Every answer is checked against loops over the coordinates.
//
//   sparse_bench cases=order3,hypersparse nonzeros=2e6 rank=16,64 exponent=0,1 only=mttkrp modes=1
#include <fmt/format.h>

#include <cmath>

#include "core/tensor/cell_sums.hpp"
#include "core/tensor/count_products.hpp"
#include "core/tensor/mttkrp.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/generated.hpp"
#include "tests/bench/sparse_work.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr double kAgree = 1e-11;
constexpr Index kMostResult = 32 << 20;  // doubles; engines take no Hessians of longer modes either

/// A way to keep the nonzeros. New ones go here.
struct Storage {
  const char* name;
  CsfPolicy policy;
};
constexpr Storage kStorages[] = {
    {"one tree", CsfPolicy::one}, {"two trees", CsfPolicy::two}, {"a tree a mode", CsfPolicy::all}};

/// One tensor with its factors, and what the kernels should say of it.
struct Subject {
  std::string name;
  SparseTensor tensor;
  std::vector<FactorMatrix> factors;
  Index rank = 0;

  double model(Index k) const {
    double sum = 0;
    for (Index r = 0; r < rank; ++r) sum += others(k, r, -1);
    return sum;
  }
  /// Product of the factors' entries at nonzero k in one component, without those of one mode.
  double others(Index k, Index r, int without) const {
    double product = 1;
    for (int mode = 0; mode < tensor.order(); ++mode)
      if (mode != without)
        product *= factors[static_cast<std::size_t>(mode)](tensor.indices(mode)[static_cast<std::size_t>(k)], r);
    return product;
  }
};

void bench_build(const Subject& subject, const Storage& storage, Report& report) {
  CsfSet trees;
  const Timing timing = time_runs([&] { trees = CsfSet(NonzeroList(subject.tensor), storage.policy); });
  const double coordinates = static_cast<double>(subject.tensor.nonzeros()) * 8 * (subject.tensor.order() + 1);
  const auto built = static_cast<double>(trees.bytes());
  Work work;
  work.traffic = {{coordinates + built, coordinates + built}};
  const bool correct = trees.trees().front().nonzeros() == subject.tensor.nonzeros();
  report.add(subject.name, fmt::format("build, {}", storage.name), timing, work, correct, {{"storage_bytes", built}});
}

void bench_mttkrp(const Subject& subject, const Storage& storage, const std::vector<FactorMatrix>& oracles,
                  bool each_mode, Report& report) {
  const auto& shape = subject.tensor.shape();
  const CsfSet trees(NonzeroList(subject.tensor), storage.policy);
  std::vector<FactorMatrix> results;
  for (const Index size : shape) results.emplace_back(size, subject.rank);
  const auto product = [&](int mode) { mttkrp(trees, subject.factors, mode, results[static_cast<std::size_t>(mode)]); };
  const Timing timing = time_runs([&] {
    for (int mode = 0; mode < subject.tensor.order(); ++mode) product(mode);
  });
  bool correct = true;
  for (std::size_t mode = 0; mode < shape.size(); ++mode)
    correct = correct && largest_difference(oracles[mode], results[mode]) < kAgree;
  report.add(subject.name, fmt::format("mttkrp of all modes, {}", storage.name), timing,
             sweep_work(trees, shape, subject.rank), correct, {{"storage_bytes", trees.bytes()}});
  for (int mode = 0; each_mode && mode < subject.tensor.order(); ++mode)
    report.add(subject.name, fmt::format("mttkrp of mode {}, {}", mode, storage.name),
               time_runs([&] { product(mode); }), mttkrp_work(trees.tree_for(mode), shape, mode, subject.rank),
               correct);
}

void bench_residual(const Subject& subject, const CsfSet& trees, Report& report) {
  const CsfTensor& tree = trees.trees().front();
  const std::vector<double> weights(static_cast<std::size_t>(subject.rank), 1.0);
  ResidualSums sums, oracle;
  const Timing timing = time_runs([&] { sums = residual_sums(tree, subject.factors, weights); });
  for (Index k = 0; k < subject.tensor.nonzeros(); ++k) {
    const double m = subject.model(k);
    oracle.residual_squared += std::pow(subject.tensor.values()[static_cast<std::size_t>(k)] - m, 2);
    oracle.model_squared += m * m;
  }
  const bool correct = std::abs(sums.residual_squared - oracle.residual_squared) < kAgree * oracle.residual_squared &&
                       std::abs(sums.model_squared - oracle.model_squared) < kAgree * oracle.model_squared;
  report.add(subject.name, "residual sums", timing,
             pass_work(tree, subject.tensor.shape(), subject.rank, 2.0 * static_cast<double>(subject.rank) + 5, 0),
             correct);
}

/// Derivatives of the Poisson likelihood by the rows of mode 0, by loops over the nonzeros.
FactorMatrix direct_count_products(const Subject& subject, CountContent content) {
  FactorMatrix result(subject.tensor.shape()[0], count_columns(subject.rank, content));
  std::vector<double> others(static_cast<std::size_t>(subject.rank));
  for (Index k = 0; k < subject.tensor.nonzeros(); ++k) {
    double* row = result.row(subject.tensor.indices(0)[static_cast<std::size_t>(k)]);
    const double x = subject.tensor.values()[static_cast<std::size_t>(k)], m = subject.model(k);
    for (Index r = 0; r < subject.rank; ++r) {
      others[static_cast<std::size_t>(r)] = subject.others(k, r, 0);
      row[r] += x / m * others[static_cast<std::size_t>(r)];
    }
    if (content == CountContent::gradient) continue;
    double* packed = row + subject.rank;
    for (std::size_t r = 0; r < others.size(); ++r)
      for (std::size_t s = 0; s <= r; ++s) *packed++ += x / (m * m) * others[r] * others[s];
  }
  return result;
}

void bench_counts(const Subject& subject, const CsfSet& trees, CountContent content, Report& report) {
  const auto rank = static_cast<double>(subject.rank);
  FactorMatrix result(subject.tensor.shape()[0], count_columns(subject.rank, content));
  const CsfTensor& tree = trees.tree_for(0);
  const Timing timing = time_runs([&] { count_products(tree, subject.factors, 0, content, result); });
  const bool curved = content == CountContent::with_hessian;
  const double flops = 4 * rank + 3 + (curved ? rank * (rank + 1) + rank : 0);
  report.add(subject.name, curved ? "count products with Hessian" : "count products", timing,
             pass_work(tree, subject.tensor.shape(), subject.rank, flops,
                       static_cast<double>(result.rows() * result.columns()) * 8),
             largest_difference(direct_count_products(subject, content), result) < kAgree);
}

/// A value and its derivatives by all factors, or the value alone.
void bench_cell_sums(const Subject& subject, const CsfSet& trees, CellFunction function, const char* name,
                     Report& report) {
  const auto& shape = subject.tensor.shape();
  CellSums sums;
  double value = 0;
  std::vector<std::vector<double>> rows(shape.size());
  for (std::size_t mode = 0; mode < shape.size(); ++mode)
    rows[mode].resize(static_cast<std::size_t>(trees.tree_for(static_cast<int>(mode)).nodes(0) * subject.rank));
  const Timing gradients = time_runs([&] {
    for (std::size_t mode = 0; mode < shape.size(); ++mode)
      value = sums.with_gradient(trees.tree_for(static_cast<int>(mode)), subject.factors, function, rows[mode]);
  });
  const Timing values = time_runs([&] { sums.value(trees.tree_for(0), subject.factors, function); });
  const bool residual = function == CellFunction::residual;
  double oracle = 0;
  FactorMatrix expected(shape[0], subject.rank), found(shape[0], subject.rank);
  for (Index k = 0; k < subject.tensor.nonzeros(); ++k) {
    const double m = subject.model(k), x = subject.tensor.values()[static_cast<std::size_t>(k)];
    oracle += residual ? -0.5 * (x - m) * (x - m) : x * std::log(m);
    for (Index r = 0; r < subject.rank; ++r)
      expected(subject.tensor.indices(0)[static_cast<std::size_t>(k)], r) +=
          (residual ? x - m : x / m) * subject.others(k, r, 0);
  }
  const CsfTensor& tree = trees.tree_for(0);
  for (Index n = 0; n < tree.nodes(0); ++n)
    std::copy_n(rows[0].data() + n * subject.rank, subject.rank, found.row(tree.ids(0)[static_cast<std::size_t>(n)]));
  const bool correct =
      std::abs(value - oracle) < kAgree * std::abs(oracle) && largest_difference(expected, found) < kAgree;
  Work work = sweep_work(trees, shape, subject.rank);
  work.flops *= 2;
  report.add(subject.name, fmt::format("{} and gradient, all modes", name), gradients, work, correct);
  report.add(subject.name, fmt::format("{} alone", name), values,
             pass_work(tree, shape, subject.rank, 2.0 * static_cast<double>(subject.rank), 0), correct);
}

void bench_subject(const Subject& subject, const Settings& settings, Report& report) {
  std::vector<FactorMatrix> oracles;
  for (int mode = 0; mode < subject.tensor.order(); ++mode) {
    oracles.emplace_back(subject.tensor.shape()[static_cast<std::size_t>(mode)], subject.rank);
    mttkrp(subject.tensor, subject.factors, mode, oracles.back());
  }
  for (const Storage& storage : kStorages) {
    if (settings.wants("build")) bench_build(subject, storage, report);
    if (settings.wants("mttkrp")) bench_mttkrp(subject, storage, oracles, settings.number("modes") != 0, report);
  }
  const CsfSet trees(NonzeroList(subject.tensor), CsfPolicy::all);
  if (settings.wants("residual")) bench_residual(subject, trees, report);
  if (settings.wants("cells")) {
    bench_cell_sums(subject, trees, CellFunction::residual, "squared residuals", report);
    bench_cell_sums(subject, trees, CellFunction::logarithm, "log-likelihood of counts", report);
  }
  if (!settings.wants("counts")) return;
  bench_counts(subject, trees, CountContent::gradient, report);
  if (subject.tensor.shape()[0] * count_columns(subject.rank, CountContent::with_hessian) < kMostResult)
    bench_counts(subject, trees, CountContent::with_hessian, report);
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv,
                          {{"cases", "order3,order4,order5,hypersparse"},
                           {"nonzeros", "1e5"},
                           {"rank", "16"},
                           {"exponent", "1"},
                           {"modes", "0"},
                           {"only", ""}});
  Report report("sparse", settings);
  for (const std::string& name : settings.texts("cases"))
    for (const double exponent : settings.numbers("exponent"))
      for (const Index nonzeros : settings.integers("nonzeros")) {
        SparseTensor tensor = generated(sparse_case(name, nonzeros, exponent), true);
        tensor.sum_duplicates();
        for (const Index rank : settings.integers("rank")) {
          const std::vector<Index> shape = tensor.shape();
          bench_subject({fmt::format("{} {} nonzeros, exponent {}, rank {}", name, tensor.nonzeros(), exponent, rank),
                         tensor, generated_factors(shape, rank), rank},
                        settings, report);
        }
      }
  return report.finish();
}
