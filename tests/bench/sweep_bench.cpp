// Whole sweeps of CP under mpirun: least squares on sparse and dense tensors, counts, and observed cells alone, with the
// shares of their parts. The fit is checked against sums over the entries.
//
//   mpirun -n 2 sweep_bench cases=order3,order4 nonzeros=2e6 exponent=1 rank=16 dense=200x150x100 only=sparse,dense
#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "core/tensor/gram.hpp"
#include "core/tensor/kruskal_tensor.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/als/cp_apr.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/environment.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/generated.hpp"
#include "tests/bench/mpi_timing.hpp"
#include "tests/bench/sparse_work.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr double kAgree = 1e-9;

/// What every rank holds of the model, and the entries that it is compared with.
struct Fitted {
  CpResult result;
  Timing sweep;
  nlohmann::ordered_json shares;
};

/// Sweeps one after the other, timed from step to step on the slowest rank.
Fitted fitted(const Communicator& world, const DistributedTensor& tensor, const CpOptions& options, bool counts) {
  const std::vector<std::string> parts =
      counts || tensor.only_observed()
          ? std::vector<std::string>{"products", "reduce rows", "update", "share rows"}
          : std::vector<std::string>{"mttkrp", "reduce rows", "update", "share rows", "gram"};
  const auto spent = [&](const std::string& part) { return region_seconds(world, part); };
  std::vector<double> before;
  for (const std::string& part : parts) before.push_back(spent(part));
  const double sweeps_before = spent("sweep");
  std::vector<double> stamps;
  CpObserver observer;
  observer.progress = [&](const CpStep&) { stamps.push_back(seconds_now()); };
  Fitted fit;
  fit.result = counts ? cp_apr(tensor, options, observer) : cp_als(tensor, options, observer);
  std::vector<double> seconds(static_cast<std::size_t>(options.iterations) - 1, 0.0);
  for (std::size_t k = 1; k < stamps.size(); ++k) seconds[k - 1] = stamps[k] - stamps[k - 1];
  world.all_reduce(std::span<double>(seconds), Reduction::maximum);
  fit.sweep = timing_of(seconds);
  const double whole = spent("sweep") - sweeps_before;
  double rest = 1;
  for (std::size_t k = 0; k < parts.size(); ++k) {
    const double share = (spent(parts[k]) - before[k]) / whole;
    fit.shares[parts[k]] = share;
    rest -= share;
  }
  fit.shares["rest"] = rest;
  return fit;
}

std::string shares_text(const nlohmann::ordered_json& shares) {
  std::string text;
  for (const auto& [part, share] : shares.items())
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", part, 100 * share.get<double>());
  return text;
}

/// The whole model on every rank.
KruskalTensor gathered(const Communicator& world, const std::vector<Index>& shape, const CpResult& result) {
  KruskalTensor model{result.weights, {}};
  for (std::size_t mode = 0; mode < shape.size(); ++mode) {
    const FactorMatrix& mine = result.factors[mode];
    std::vector<double> packed;
    for (Index i = 0; i < mine.rows(); ++i) packed.insert(packed.end(), mine.row(i), mine.row(i) + mine.columns());
    const auto values = world.all_gather(std::span<const double>(packed));
    const auto rows = world.all_gather(std::span<const Index>(result.rows[mode]));
    FactorMatrix& whole = model.factors.emplace_back(shape[mode], mine.columns());
    for (std::size_t k = 0; k < rows.size(); ++k)
      std::copy_n(values.data() + k * static_cast<std::size_t>(mine.columns()), mine.columns(), whole.row(rows[k]));
  }
  return model;
}

/// Squared error over the nonzeros; with `zeros` also over all other cells, by ‖M‖² from the Gram matrices.
double squared_error(const SparseTensor& tensor, const KruskalTensor& model, bool zeros) {
  double error = 0;
  std::vector<Index> cell(tensor.shape().size());
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    for (int mode = 0; mode < tensor.order(); ++mode) cell[static_cast<std::size_t>(mode)] = tensor.indices(mode)[k];
    const double m = model(cell), x = tensor.values()[k];
    error += zeros ? x * x - 2 * x * m : (x - m) * (x - m);
  }
  if (!zeros) return error;
  std::vector<GramMatrix> grams;
  for (const FactorMatrix& factor : model.factors) grams.push_back(gram(factor, 0, factor.rows()));
  const GramMatrix all = hadamard(grams, -1);
  for (Index r = 0; r < model.rank(); ++r)
    for (Index s = 0; s < model.rank(); ++s)
      error += model.weights[static_cast<std::size_t>(r)] * model.weights[static_cast<std::size_t>(s)] * all(r, s);
  return error;
}

Work divided(Work work, double by) {
  work.flops /= by;
  for (Traffic& part : work.traffic) part.bytes /= by;
  return work;
}

/// Gram matrices and solves of all modes.
double row_flops(const std::vector<Index>& shape, Index rank) {
  const auto rows = static_cast<double>(std::accumulate(shape.begin(), shape.end(), Index{0}));
  return 4 * rows * static_cast<double>(rank * rank);
}

CpOptions options_for(Index rank) {
  CpOptions options;
  options.rank = rank;
  options.iterations = kLeastRuns + 2;
  options.tolerance = 0;
  return options;
}

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

/// Partition, exchange of the nonzeros and building the storage.
void bench_set_up(const Communicator& world, const SparseTensor& tensor, const std::string& where, Report& report) {
  std::vector<SparseTensor> mine;
  std::unique_ptr<DistributedTensor> spread;
  const Timing timing = time_on_all(
      world, [&] { spread = distribute(world, tensor.shape(), std::move(mine)); },
      [&] {
        spread.reset();
        mine = dealt(world, tensor);
      });
  const double bytes = 8.0 * (tensor.order() + 1) * static_cast<double>(tensor.nonzeros()) / world.size();
  report.add(where, "set up", timing, Work{0, {{2 * bytes, 2 * bytes}}}, spread->stored_cells() == tensor.nonzeros(),
             {{"storage", spread->storage()}});
}

void bench_sparse(const Communicator& world, const SparseTensor& tensor, const std::string& where, Index rank,
                  const std::string& kind, Report& report) {
  const bool observed = kind == "observed", counts = kind == "counts";
  DistributionOptions distribution;
  distribution.missing = observed ? Missing::unobserved : Missing::zero;
  const auto spread = distribute(world, tensor.shape(), dealt(world, tensor), distribution);
  const Fitted fit = fitted(world, *spread, options_for(rank), counts);
  const KruskalTensor model = gathered(world, tensor.shape(), fit.result);
  const double norm = std::inner_product(tensor.values().begin(), tensor.values().end(), tensor.values().begin(), 0.0);
  const double expected = 1 - std::sqrt(squared_error(tensor, model, !observed) / norm);
  const CsfSet trees(NonzeroList(tensor), CsfPolicy::all);
  Work work = sweep_work(trees, tensor.shape(), rank);
  const double cells = static_cast<double>(tensor.nonzeros()), squares = static_cast<double>(rank * rank);
  // Normal equations or derivatives in place of the MTTKRP: rank² more operations a cell and mode (counts: two steps).
  if (observed || counts) work.flops += cells * squares * tensor.order() * (counts ? 2 : 1);
  work.flops += row_flops(tensor.shape(), rank);
  nlohmann::ordered_json more{{"shares", fit.shares}, {"storage", spread->storage()}};
  report.add(where, fmt::format("sweep, {}", kind), fit.sweep, divided(work, world.size()),
             std::abs(fit.result.fit - expected) < kAgree, more);
  report.note(fmt::format("{}, {}: {}", where, kind, shares_text(fit.shares)));
}

void bench_dense(const Communicator& world, const std::vector<Index>& shape, Index rank, Report& report) {
  const DenseTensor tensor = generated_dense(shape);
  ProcessGrid grid = choose_dense_grid(world, shape);
  const DenseBlock place = dense_block(grid, shape);
  DenseTensor block(place.extents);
  std::vector<Index> local(shape.size(), 0), global(shape.size());
  if (block.size() > 0) do {
      for (std::size_t mode = 0; mode < shape.size(); ++mode) global[mode] = place.offsets[mode] + local[mode];
      block(local) = tensor(global);
    } while (next_cell(local, place.extents));
  const auto spread = distribute(std::move(grid), shape, std::move(block));
  const Fitted fit = fitted(world, *spread, options_for(rank), false);
  const KruskalTensor model = gathered(world, shape, fit.result);
  const ResidualSums sums = residual_sums(tensor, model.factors, model.weights);
  const double norm = std::inner_product(tensor.values().begin(), tensor.values().end(), tensor.values().begin(), 0.0);
  const auto cells = static_cast<double>(tensor.size());
  // Two products with all cells are enough for a sweep: a dimension tree derives the modes from them.
  const Work work{4 * cells * static_cast<double>(rank) + row_flops(shape, rank), {{2 * 8 * cells, 8 * cells}}};
  const std::string where = fmt::format("dense {}, rank {}, {} MPI ranks", shape_text(shape), rank, world.size());
  report.add(where, "sweep", fit.sweep, divided(work, world.size()),
             std::abs(fit.result.fit - (1 - std::sqrt(sums.residual_squared / norm))) < kAgree,
             {{"shares", fit.shares}});
  report.note(fmt::format("{}: {}", where, shares_text(fit.shares)));
}

std::vector<Index> parse_shape(const std::string& text) {
  std::vector<Index> shape{0};
  for (const char letter : text)
    if (letter == 'x')
      shape.push_back(0);
    else
      shape.back() = 10 * shape.back() + (letter - '0');
  return shape;
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv,
                          {{"cases", "order3,order4"},
                           {"nonzeros", "1e5"},
                           {"exponent", "1"},
                           {"rank", "16"},
                           {"dense", "120x100x80"},
                           {"only", ""}});
  const MpiEnvironment environment(argc, argv);
  const Communicator world(MPI_COMM_WORLD);
  return collectively(world, [&] {
    Report report("sweep", settings, world.is_root());
    for (const Index rank : settings.integers("rank")) {
      for (const std::string& name : settings.texts("cases"))
        for (const Index nonzeros : settings.integers("nonzeros")) {
          SparseTensor tensor = generated(sparse_case(name, nonzeros, settings.number("exponent")), true);
          tensor.sum_duplicates();
          const std::string where = fmt::format("{} {} nonzeros, exponent {}, rank {}, {} MPI ranks", name,
                                                tensor.nonzeros(), settings.number("exponent"), rank, world.size());
          if (settings.wants("setup")) bench_set_up(world, tensor, where, report);
          for (const char* kind : {"sparse", "counts", "observed"})
            if (settings.wants(kind)) bench_sparse(world, tensor, where, rank, kind, report);
        }
      if (settings.wants("dense")) bench_dense(world, parse_shape(settings.text("dense")), rank, report);
    }
    return report.finish();
  });
}
