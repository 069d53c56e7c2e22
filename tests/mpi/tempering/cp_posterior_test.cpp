#include "distributed/tempering/cp_posterior.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>

#include "core/sampling/explorers/slice_explorer.hpp"
#include "distributed/tempering/distributed_cells.hpp"
#include "distributed/tempering/tempering.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/skewed.hpp"

namespace tempera {
namespace {

using test::on_all_ranks;
using Cell = std::vector<Index>;

SparseTensor random_counts(const std::vector<Index>& shape, Index count, std::uint64_t seed) {
  SparseTensor tensor = test::random_sparse(shape, count, seed);
  for (double& value : tensor.values()) value = 1 + std::floor(3 * std::abs(value));
  return tensor;
}

/// Most of the cells in one slice of every mode, and rows without any.
SparseTensor lopsided(const std::vector<Index>& shape, Index count) {
  SparseTensor tensor = random_counts(shape, count, 5), result(shape);
  std::map<Cell, double> cells;
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    Cell cell;
    for (int m = 0; m < tensor.order(); ++m)
      cell.push_back(k % 4 != 0 && static_cast<int>(k % 3) == m ? shape[static_cast<std::size_t>(m)] / 2
                                                                : tensor.indices(m)[k]);
    if (cell[0] != 1) cells[cell] = tensor.values()[k];
  }
  for (const auto& [cell, value] : cells) result.append(cell, value);
  return result;
}

void expect_same(const CsfTensor& a, const CsfTensor& b) {
  ASSERT_EQ(a.nonzeros(), b.nonzeros());
  ASSERT_EQ(a.merged_levels(), b.merged_levels());
  ASSERT_EQ(a.mode_order(), b.mode_order());
  for (int level = 0; level < a.order(); ++level) EXPECT_TRUE(std::ranges::equal(a.ids(level), b.ids(level)));
  for (int level = 0; level < a.merged_levels(); ++level)
    EXPECT_TRUE(std::ranges::equal(a.pointers(level), b.pointers(level)));
  EXPECT_TRUE(std::ranges::equal(a.values(), b.values()));
}

TEST(DistributedCells, BlocksAreThoseOfOneProcess) {
  on_all_ranks([](const Communicator& world) {
    const SparseTensor tensors[] = {random_counts({30, 20, 25}, 900, 3), lopsided({6, 30, 40, 3}, 700),
                                    random_counts({2, 2}, 3, 1), SparseTensor({4, 5})};
    for (const SparseTensor& tensor : tensors)
      for (const Index blocks : {1, 3, 16, 64}) {
        const CellBlocks whole = cell_blocks(tensor, blocks);
        SparseTensor mine(tensor.shape());
        for (const SparseTensor& block : test::dealt(world, tensor))
          for (std::size_t k = 0; k < static_cast<std::size_t>(block.nonzeros()); ++k) {
            Cell cell;
            for (int m = 0; m < block.order(); ++m) cell.push_back(block.indices(m)[k]);
            mine.append(cell, block.values()[k]);
          }
        const CellBlocks share = distribute_cells(world, std::move(mine), blocks);
        EXPECT_EQ(share.rows, whole.rows);
        EXPECT_EQ(share.cells, whole.cells);
        EXPECT_EQ(world.all_reduce_value(share.end() - share.first, Reduction::sum), blocks);
        for (int mode = 0; mode < tensor.order(); ++mode)
          for (Index block = share.first; block < share.end(); ++block)
            expect_same(share.tree(mode, block), whole.tree(mode, block));
      }
  });
}

struct Evaluated {
  std::vector<double> numbers;  // reference, likelihood, gradients
  bool operator==(const Evaluated&) const = default;
};

/// At a draw from the prior, by the leader of the group; the others serve.
Evaluated evaluated(const Communicator& group, CpPosterior& posterior) {
  if (!group.is_root()) {
    posterior.target->serve();
    return {};
  }
  const auto size = static_cast<std::size_t>(posterior.target->dimension());
  std::vector<double> u(size), reference(size), likelihood(size);
  RandomStream stream(3, "cp-test");
  posterior.target->sample_reference(stream, u);
  const LogDensity density = posterior.target->evaluate(u, reference, likelihood);
  EXPECT_EQ(posterior.target->evaluate(u).likelihood, density.likelihood);
  posterior.target->release();
  Evaluated result{{density.reference, density.likelihood}};
  result.numbers.insert(result.numbers.end(), reference.begin(), reference.end());
  result.numbers.insert(result.numbers.end(), likelihood.begin(), likelihood.end());
  return result;
}

TEST(CpPosterior, HasTheSameBitsForGroupsGridsAndThreadsOfAnyNumber) {
  on_all_ranks([](const Communicator& world) {
    const SparseTensor tensor = lopsided({8, 30, 20}, 900);
    for (const auto likelihood : {CpLikelihood::gaussian, CpLikelihood::poisson})
      for (const Missing missing : {Missing::zero, Missing::unobserved})
        for (const double share : {0.0, 0.2}) {
          CpModelOptions options;
          options.rank = 3;
          options.likelihood = likelihood;
          DistributionOptions distribution;
          distribution.missing = missing;
          distribution.holdout = {share, 7};
          const Communicator self = Communicator::self();
          auto alone = distribute(self, tensor.shape(), test::dealt(self, tensor), distribution);
          CpPosterior single = cp_posterior(*alone, options, 16);
          const Evaluated expected = evaluated(self, single);
          EXPECT_TRUE(std::isfinite(expected.numbers[1]));
          for (int size = 1; size <= world.size(); ++size) {
            const Communicator group = world.split(world.rank() < size ? 0 : -1, world.rank());
            if (group.size() == 0) continue;
            for (const auto& grid : test::grids_to_try(size, tensor.shape())) {
              distribution.grid = grid;
              const auto spread = distribute(group, tensor.shape(), test::dealt(group, tensor), distribution);
              for (const int threads : {1, 4}) {
                options.threads = threads;
                CpPosterior posterior = cp_posterior(*spread, options, 16);
                const Evaluated found = evaluated(group, posterior);
                if (!group.is_root()) continue;
                EXPECT_TRUE(found == expected) << "group of " << size << ", threads " << threads;
                EXPECT_EQ(posterior.held.cells.indices, single.held.cells.indices);
                EXPECT_EQ(posterior.held.cells.values, single.held.cells.values);
                EXPECT_EQ(posterior.held.stratum, single.held.stratum);
              }
            }
            distribution.grid.clear();
          }
        }
  });
}

TEST(CpPosterior, DenseDataAreAllTheirCells) {
  on_all_ranks([](const Communicator& world) {
    const SparseTensor counts = random_counts({5, 6, 4}, 70, 9);
    const DenseTensor dense = test::filled(counts);
    for (const double share : {0.0, 0.3}) {
      CpModelOptions options;
      options.rank = 2;
      options.likelihood = CpLikelihood::poisson;
      const auto as_dense = test::distributed(world, dense, {}, {share, 4});
      CpPosterior posterior = cp_posterior(*as_dense, options, 4);
      EXPECT_EQ(posterior.model().data().observed, 120 - static_cast<double>(posterior.model().data().held.cells));
      EXPECT_EQ(posterior.model().data().held.cells > 0, share > 0);
      const Evaluated of_dense = evaluated(world, posterior);
      if (share > 0) continue;  // sparse data keep other cells apart
      const auto as_sparse = test::distributed(world, counts);
      CpPosterior same = cp_posterior(*as_sparse, options, 4);
      EXPECT_TRUE(evaluated(world, same) == of_dense);
    }
  });
}

TEST(CpPosterior, DataTakeNoMoreMemoryThanForeseen) {
  on_all_ranks([](const Communicator& world) {
    for (const std::vector<Index>& shape : {std::vector<Index>{40, 60, 50}, {400, 600, 500}, {12, 14, 13, 11}}) {
      const auto tensor = test::distributed(world, random_counts(shape, 20000, 6));
      CpModelOptions options;
      options.rank = 2;
      const CpPosterior posterior = cp_posterior(*tensor, options);
      const auto bytes = static_cast<double>(posterior.model().data().cells.bytes());
      const double foreseen = cp_posterior_memory(*tensor, 2).data;
      EXPECT_LT(bytes, 1.1 * foreseen);
      EXPECT_GT(bytes, 0.5 * foreseen);
      if (world.is_root())
        posterior.target->release();
      else
        posterior.target->serve();
    }
  });
}

TEST(CpPosterior, TakesCountsOnly) {
  const Communicator world(MPI_COMM_WORLD);
  SparseTensor tensor({2, 2});
  tensor.append(Cell{0, 1}, 2.5);
  std::string message;
  try {
    collectively(world, [&] {
      const auto spread = test::distributed(world, tensor);
      CpModelOptions options;
      options.likelihood = CpLikelihood::poisson;
      cp_posterior(*spread, options);
    });
  } catch (const Error& error) {
    message = error.message();
  }
  EXPECT_NE(message.find("cell (0, 1), counted from 0, holds 2.5"), std::string::npos) << message;
}

/// Draws and evidence of a short run, on the leaders.
struct ShortRun {
  std::vector<double> draws;
  Index draw_count = 0;
  double log_evidence = 0;
  bool operator==(const ShortRun&) const = default;
};

ShortRun tempered(const Communicator& ranks, int ranks_a_group, const SparseTensor& tensor, const CpModelOptions& model,
                  const TemperingOptions& options) {
  const RankGroups groups = split_into_groups(ranks, ranks_a_group);
  const auto spread = test::distributed(groups.group, tensor);
  CpPosterior posterior = cp_posterior(*spread, model, 8);
  ShortRun run;
  if (!groups.group.is_root()) {
    posterior.target->serve();
    return run;
  }
  const TemperingResult result = sample_by_tempering(groups.leaders, *posterior.target, SliceExplorer(), options);
  posterior.target->release();
  run.log_evidence = result.rounds.back().evidence.estimate;
  run.draws = result.draws->columns(groups.leaders, 0, posterior.target->constrained_size());
  run.draw_count = result.draws->draws();
  return run;
}

TEST(CpPosterior, DrawsAreTheSameForAnyNumberOfGroupsAndRanksInThem) {
  on_all_ranks([](const Communicator& world) {
    const SparseTensor tensor = random_counts({3, 4, 2}, 12, 2);
    TemperingOptions options;
    options.chains = 4;
    options.rounds = 4;
    for (const auto likelihood : {CpLikelihood::gaussian, CpLikelihood::poisson}) {
      CpModelOptions model;
      model.rank = 2;
      model.likelihood = likelihood;
      const ShortRun alone = tempered(Communicator::self(), 1, tensor, model, options);
      EXPECT_EQ(alone.draw_count, 16);
      for (int size = 1; size <= world.size(); ++size) {
        const ShortRun together = tempered(world, size, tensor, model, options);
        EXPECT_TRUE(together.draws.empty() || together == alone) << "groups of " << size;
      }
    }
  });
}

/// log ∫∫ f over a square by the trapezoidal rule, f given by its logarithm.
template <class Function>
double log_integral(Function log_f, double lower, double upper, int intervals) {
  const double step = (upper - lower) / intervals;
  double sum = 0;
  for (int i = 0; i <= intervals; ++i)
    for (int j = 0; j <= intervals; ++j) sum += std::exp(log_f(lower + i * step, lower + j * step));
  return std::log(sum * step * step);
}

/// Runs a short tempering of this tensor in groups of two; nothing on ranks that are not leaders.
std::optional<Evidence> evidence_of(const Communicator& world, const SparseTensor& tensor,
                                    const CpModelOptions& model) {
  TemperingOptions options;
  options.chains = 6;
  options.rounds = 9;
  const RankGroups groups = split_into_groups(world, 2);
  const auto spread = test::distributed(groups.group, tensor);
  const CpPosterior posterior = cp_posterior(*spread, model);
  if (!groups.group.is_root()) {
    posterior.target->serve();
    return std::nullopt;
  }
  const auto result = sample_by_tempering(groups.leaders, *posterior.target, SliceExplorer(), options);
  posterior.target->release();
  EXPECT_LT(result.rounds.back().evidence.standard_error, 0.2);
  return result.rounds.back().evidence;
}

TEST(CpPosterior, EvidenceIsTheIntegralOverTheFactors) {
  on_all_ranks([](const Communicator& world) {
    SparseTensor tensor({1, 1});
    tensor.append(Cell{0, 0}, 3.0);
    for (const auto likelihood : {CpLikelihood::gaussian, CpLikelihood::poisson}) {
      CpModelOptions model;
      model.rank = 1;
      model.likelihood = likelihood;
      if (likelihood == CpLikelihood::gaussian) model.noise_sd = 0.3;
      const auto evidence = evidence_of(world, tensor, model);
      if (!evidence) continue;
      const auto alone = test::distributed(Communicator::self(), tensor);
      const CpPosterior posterior = cp_posterior(*alone, model);
      const auto log_density = [&](double a, double b) {
        const double u[] = {a, b};
        const LogDensity density = posterior.target->evaluate(u);
        return density.reference + density.likelihood;
      };
      const double exact = likelihood == CpLikelihood::gaussian ? log_integral(log_density, -12, 12, 1000)
                                                                : log_integral(log_density, -30, 5, 500);
      EXPECT_NEAR(evidence->estimate, exact, 4 * evidence->standard_error);
    }
  });
}

TEST(CpPosterior, EvidenceIsThatOfConjugateRows) {
  // With one column, rows of the first factor are conjugate given the only row of the second: what is left of the evidence
  // is an integral over that, b, or over its squared norm.
  on_all_ranks([](const Communicator& world) {
    const double cells[] = {2, 0, 5, 1};
    SparseTensor tensor({4, 1});
    for (Index i = 0; i < 4; ++i)
      if (cells[i] > 0) tensor.append(Cell{i, 0}, cells[i]);
    for (const auto likelihood : {CpLikelihood::gaussian, CpLikelihood::poisson}) {
      const bool gaussian = likelihood == CpLikelihood::gaussian;
      CpModelOptions model;
      model.likelihood = likelihood;
      model.rank = gaussian ? 2 : 1;
      model.prior_scale = 1.2;
      model.prior_shape = 1.5;
      model.prior_rate = 0.8;
      if (gaussian) model.noise_sd = 0.5;
      const auto evidence = evidence_of(world, tensor, model);
      if (!evidence) continue;
      const double a = model.prior_shape, c = *model.prior_rate, s = *model.prior_scale;
      double sum = 0;
      constexpr int kSteps = 4000;
      for (int k = 0; k < kSteps; ++k) {
        const double log_b = -15 + 20 * (k + 0.5) / kSteps, b = std::exp(log_b);
        double log_f = 0;
        if (gaussian) {  // b = |row|² / s², half an exponential; cells ~ N(0, s⁴ b + sd²)
          log_f = log_b - b / 2 - std::log(2);
          const double variance = s * s * s * s * b + 0.25;
          for (const double x : cells) log_f -= 0.5 * (std::log(2 * M_PI * variance) + x * x / variance);
        } else {  // cells are negative binomial
          log_f = a * std::log(c) - std::lgamma(a) + a * log_b - c * b;
          for (const double x : cells)
            log_f += std::lgamma(x + a) - std::lgamma(a) - std::lgamma(x + 1) + a * std::log(c / (c + b)) +
                     x * std::log(b / (c + b));
        }
        sum += std::exp(log_f) * 20 / kSteps;
      }
      EXPECT_NEAR(evidence->estimate, std::log(sum), 4 * evidence->standard_error) << "gaussian " << gaussian;
    }
  });
}

}  // namespace
}  // namespace tempera
