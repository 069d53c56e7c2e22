#include "core/sampling/cp_model.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <numbers>

#include "core/base/error.hpp"
#include "tests/support/statistics.hpp"
#include "tests/support/tensors.hpp"
#include "tests/unit/sampling/differences.hpp"

namespace tempera {
namespace {

using test::Vector;
using Cell = std::vector<Index>;

/// Cells in three roles; what is in none of them is zero, or not observed.
struct Case {
  CpLikelihood likelihood;
  bool observed_only;
  SparseTensor stored, held;

  bool counts() const { return likelihood == CpLikelihood::poisson; }
};

/// Every `apart`-th of the random cells is kept apart, and some that are not stored (unless those are not observed).
Case random_case(std::vector<Index> shape, Index count, CpLikelihood likelihood, bool observed_only,
                 std::uint64_t seed) {
  Case result{likelihood, observed_only, SparseTensor(shape), SparseTensor(shape)};
  const SparseTensor cells = test::random_sparse(shape, count, seed);
  Cell cell(shape.size());
  for (std::size_t k = 0; k < static_cast<std::size_t>(cells.nonzeros()); ++k) {
    for (std::size_t m = 0; m < cell.size(); ++m) cell[m] = cells.indices(static_cast<int>(m))[k];
    const double value = result.counts() ? std::floor(4 * std::abs(cells.values()[k])) : cells.values()[k];
    if (k % 5 != 0)
      result.stored.append(cell, value);
    else if (!observed_only)
      result.held.append(cell, k % 2 == 0 ? value : 0.0);
  }
  return result;
}

std::map<Cell, double> by_cell(const SparseTensor& tensor) {
  std::map<Cell, double> cells;
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    Cell cell;
    for (int m = 0; m < tensor.order(); ++m) cell.push_back(tensor.indices(m)[k]);
    cells[cell] = tensor.values()[k];
  }
  return cells;
}

/// By loops over all cells of the tensor.
double direct_likelihood(const Case& data, Index rank, std::span<const double> theta, double sd) {
  const auto& shape = data.stored.shape();
  const auto stored = by_cell(data.stored), held = by_cell(data.held);
  Cell cell(shape.size(), 0);
  double sum = 0;
  do {
    const auto found = stored.find(cell);
    if (held.contains(cell) || (data.observed_only && found == stored.end())) continue;
    const double x = found == stored.end() ? 0 : found->second;
    double m = 0;
    for (Index r = 0; r < rank; ++r) {
      double product = 1;
      Index offset = 0;
      for (std::size_t mode = 0; mode < cell.size(); ++mode) {
        product *= theta[static_cast<std::size_t>(offset + cell[mode] * rank + r)];
        offset += shape[mode] * rank;
      }
      m += product;
    }
    sum += data.counts() ? x * std::log(m) - m - std::lgamma(x + 1)
                         : -0.5 * std::pow((x - m) / sd, 2) - std::log(sd) - 0.5 * std::log(2 * std::numbers::pi);
  } while (next_cell(cell, shape));
  return sum;
}

CpModel model_of(const Case& data, CpModelOptions options, Index blocks) {
  options.likelihood = data.likelihood;
  return {std::make_shared<CpData>(cp_data(data.stored, data.held, data.likelihood, data.observed_only, blocks)),
          options};
}

/// A point near the prior: entries of Poisson factors positive.
Vector some_theta(CpModel& model, std::uint64_t seed) {
  TransformedTarget target(model.clone());
  Vector theta(static_cast<std::size_t>(target.constrained_size()));
  RandomStream stream(seed, "cp-test");
  model.sample_prior(stream, theta);
  for (double& entry : theta)
    if (model.options().likelihood == CpLikelihood::poisson) entry += 0.05;
  return theta;
}

void for_each_case(const std::function<void(const Case&, Index blocks, std::uint64_t seed)>& check) {
  const std::vector<std::pair<std::vector<Index>, Index>> tensors = {
      {{1, 1}, 1},        {{9, 7}, 30},        {{2, 60}, 90},        {{5, 1, 8}, 20},
      {{12, 10, 9}, 200}, {{5, 4, 3, 6}, 100}, {{3, 4, 2, 3, 5}, 90}};
  std::uint64_t seed = 0;
  for (const auto& [shape, count] : tensors)
    for (const auto likelihood : {CpLikelihood::gaussian, CpLikelihood::poisson})
      for (const bool observed_only : {false, true})
        for (const Index blocks : {1, 2, 7, 64}) {
          const Case data = random_case(shape, count, likelihood, observed_only, ++seed);
          SCOPED_TRACE(testing::Message()
                       << "order " << shape.size() << " likelihood " << static_cast<int>(likelihood)
                       << " observed only " << observed_only << " blocks " << blocks << " seed " << seed);
          check(data, blocks, seed);
        }
}

TEST(CpModel, LikelihoodIsThatOfAllCells) {
  for_each_case([](const Case& data, Index blocks, std::uint64_t seed) {
    for (const Index rank : {1, 3, 8}) {
      CpModelOptions options;
      options.rank = rank;
      if (!data.counts()) options.noise_sd = 0.3;
      options.prior_scale = options.prior_rate = 1.0;
      CpModel model = model_of(data, options, blocks);
      const Vector theta = some_theta(model, seed);
      const double expected = direct_likelihood(data, rank, theta, 0.3);
      // Closed forms lose digits against sums of squares of some hundred.
      EXPECT_NEAR(model.log_likelihood(theta, {}), expected, 1e-11 * (100 + std::abs(expected)));
      options.noise_sd.reset();
      options.noise_scale = 2.0;
      if (data.counts()) continue;
      CpModel noisy = model_of(data, options, blocks);
      Vector more = theta;
      more.push_back(0.7);
      const double with_noise = direct_likelihood(data, rank, theta, 0.7);
      EXPECT_NEAR(noisy.log_likelihood(more, {}), with_noise, 1e-11 * (100 + std::abs(with_noise)));
    }
  });
}

TEST(CpModel, GradientsAreThoseOfFiniteDifferences) {
  for_each_case([](const Case& data, Index blocks, std::uint64_t seed) {
    CpModelOptions options;
    options.rank = 2;
    options.prior_shape = 1.7;
    options.prior_rate = 1.1;
    options.prior_scale = 0.9;
    options.noise_scale = data.counts() ? std::optional<double>() : 1.5;
    CpModel model = model_of(data, options, blocks);
    TransformedTarget target(model.clone());
    Vector u(static_cast<std::size_t>(target.dimension()));
    target.unconstrain(some_theta(model, seed), u);
    Vector reference(u.size()), likelihood(u.size());
    const LogDensity with = target.evaluate(u, reference, likelihood);
    const LogDensity without = target.evaluate(u);
    EXPECT_EQ(with.reference, without.reference);
    EXPECT_EQ(with.likelihood, without.likelihood);
    const double tolerance = 1e-9 * (100 + std::abs(with.likelihood));
    for (std::size_t i = 0; i < u.size(); ++i) {
      const auto reference_at = [&](const Vector& x) { return target.evaluate(x).reference; };
      const auto likelihood_at = [&](const Vector& x) { return target.evaluate(x).likelihood; };
      EXPECT_NEAR(reference[i], test::derivative(reference_at, u, i), tolerance) << i;
      EXPECT_NEAR(likelihood[i], test::derivative(likelihood_at, u, i), tolerance) << i;
    }
  });
}

/// The same data where only the blocks [first, end) are here.
std::shared_ptr<const CpData> share_of(const CpData& data, Index first, Index end) {
  auto share = std::make_shared<CpData>(data);
  for (CellBlocks* cells : {&share->cells, &share->held}) {
    cells->first = first;
    for (auto& mode : cells->trees) mode = {mode.begin() + first, mode.begin() + end};
  }
  return share;
}

TEST(CpModel, SharesOfAnySizeAndThreadsGiveTheSameBits) {
  for_each_case([](const Case& data, Index blocks, std::uint64_t seed) {
    CpModelOptions options;
    options.rank = 3;
    options.prior_scale = options.prior_rate = 1.0;
    if (!data.counts()) options.noise_sd = 0.5;
    CpModel whole = model_of(data, options, blocks);
    const Vector theta = some_theta(whole, seed);
    Vector gradient(theta.size()), other(theta.size());
    const double value = whole.log_likelihood(theta, gradient);
    options.threads = 4;
    CpModel threads = model_of(data, options, blocks);
    EXPECT_EQ(threads.log_likelihood(theta, other), value);
    EXPECT_EQ(other, gradient);
    for (const Index parts : {2, 3, 5}) {
      std::vector<Vector> pieces;
      for (Index part = 0; part < parts; ++part) {
        options.likelihood = data.likelihood;
        CpModel share(share_of(whole.data(), blocks * part / parts, blocks * (part + 1) / parts), options);
        pieces.emplace_back(static_cast<std::size_t>(piece_sizes(share, share.first_block(), share.end_block(), true)));
        share.compute_pieces(theta, true, pieces.back());
      }
      std::vector<std::span<const double>> spans;
      for (Index part = 0; part < parts; ++part) {
        std::size_t at = 0;
        for (Index block = blocks * part / parts; block < blocks * (part + 1) / parts; ++block) {
          const auto size = static_cast<std::size_t>(whole.piece_size(block, true));
          spans.push_back(std::span<const double>(pieces[static_cast<std::size_t>(part)]).subspan(at, size));
          at += size;
        }
      }
      EXPECT_EQ(whole.combine(theta, spans, other), value) << parts;
      EXPECT_EQ(other, gradient) << parts;
    }
  });
}

TEST(CpModel, AGiantSliceIsCutIntoPiecesOfEqualLength) {
  // All cells but a few lie in row 3 of mode 0.
  SparseTensor cells({6, 40, 30});
  for (Index j = 0; j < 40; ++j)
    for (Index k = 0; k < 30; k += 2) cells.append(Cell{3, j, k}, static_cast<double>(1 + (j + k) % 3));
  cells.append(Cell{0, 5, 5}, 2.0);
  cells.append(Cell{5, 39, 29}, 4.0);
  const Case data{CpLikelihood::poisson, false, cells, SparseTensor({6, 40, 30})};
  CpModelOptions options;
  options.rank = 4;
  CpModel model = model_of(data, options, 16);
  const CellBlocks& blocks = model.data().cells;
  for (int mode = 0; mode < 3; ++mode)
    for (Index block = 0; block < 16; ++block) {
      EXPECT_GE(blocks.tree(mode, block).nonzeros(), 602 / 16);
      EXPECT_LE(blocks.tree(mode, block).nonzeros(), 602 / 16 + 1);
    }
  const Vector theta = some_theta(model, 3);
  const double expected = direct_likelihood(data, 4, theta, 0);
  Vector gradient(theta.size()), other(theta.size());
  EXPECT_NEAR(model.log_likelihood(theta, gradient), expected, 1e-12 * std::abs(expected));
  model_of(data, options, 1).log_likelihood(theta, other);
  for (std::size_t i = 0; i < theta.size(); ++i) EXPECT_NEAR(gradient[i], other[i], 1e-11 * (1 + std::abs(other[i])));
}

TEST(CpModel, ThePriorIntegratesToOne) {
  SparseTensor one({1, 1});
  one.append(Cell{0, 0}, 2.0);
  for (const auto likelihood : {CpLikelihood::gaussian, CpLikelihood::poisson}) {
    const Case data{likelihood, false, one, SparseTensor({1, 1})};
    CpModelOptions options;
    options.rank = 1;
    options.prior_shape = 1.4;
    CpModel model = model_of(data, options, 1);
    TransformedTarget target(model.clone());
    ASSERT_EQ(target.dimension(), likelihood == CpLikelihood::gaussian ? 3 : 2);
    // Independent entries: the density is a product, so that one-dimensional integrals through a point tell.
    Vector u(static_cast<std::size_t>(target.dimension()), 0.1);
    const double centre = target.evaluate(u).reference;
    double log_total = -centre * static_cast<double>(u.size() - 1);
    for (std::size_t i = 0; i < u.size(); ++i) {
      const auto density = [&](double x) {
        Vector at = u;
        at[i] = x;
        return std::exp(target.evaluate(at).reference);
      };
      log_total += std::log(test::integral(density, -40, 40, 8000));
    }
    EXPECT_NEAR(log_total, 0, 1e-9);
  }
}

TEST(CpModel, DrawsComeFromThePriorWhoseScaleIsThatOfTheData) {
  for (const auto likelihood : {CpLikelihood::gaussian, CpLikelihood::poisson}) {
    const Case data = random_case({6, 5, 4}, 80, likelihood, false, 11);
    CpModelOptions options;
    options.rank = 3;
    CpModel model = model_of(data, options, 2);
    const CpData& facts = model.data();
    EXPECT_EQ(facts.observed, 120 - static_cast<double>(data.held.nonzeros()));
    RandomStream stream(5, "cp-test");
    Vector theta(static_cast<std::size_t>(TransformedTarget(model.clone()).constrained_size()));
    Vector entries, noise;
    double cells = 0, squares = 0;
    constexpr int kDraws = 4000;
    for (int draw = 0; draw < kDraws; ++draw) {
      model.sample_prior(stream, theta);
      entries.push_back(theta[7]);
      noise.push_back(theta.back());
      double m = 0;  // of cell (0, 0, 0)
      for (std::size_t r = 0; r < 3; ++r) m += theta[r] * theta[18 + r] * theta[33 + r];
      cells += m / kDraws;
      squares += m * m / kDraws;
    }
    if (likelihood == CpLikelihood::poisson) {
      const double rate = *model.options().prior_rate;
      EXPECT_NEAR(cells * facts.observed / facts.sum, 1, 0.35);  // 6 standard errors: Var m = 7 (mean)²/3
      EXPECT_GT(test::kolmogorov_smirnov_p_value(entries, [&](double x) { return 1 - std::exp(-rate * x); }), 1e-6);
    } else {
      const double scale = *model.options().prior_scale, noise_scale = *model.options().noise_scale;
      EXPECT_NEAR(squares * facts.observed / facts.squares, 1, 0.6);
      EXPECT_NEAR(noise_scale, std::sqrt(facts.squares / facts.observed), 1e-14);
      const auto normal = [](double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); };
      EXPECT_GT(test::kolmogorov_smirnov_p_value(entries, [&](double x) { return normal(x / scale); }), 1e-6);
      EXPECT_GT(test::kolmogorov_smirnov_p_value(noise, [&](double x) { return 2 * normal(x / noise_scale) - 1; }),
                1e-6);
    }
  }
}

TEST(CpModel, OneOfAllEquivalentFactorsStandsForThem) {
  for (const auto likelihood : {CpLikelihood::gaussian, CpLikelihood::poisson}) {
    const Case data = random_case({6, 5, 4}, 80, likelihood, false, 11);
    CpModelOptions options;
    options.rank = 4;
    CpModel model = model_of(data, options, 2);
    const Vector theta = some_theta(model, 4);
    Vector chosen = theta;
    model.choose_representative(chosen);
    const double value = model.log_likelihood(theta, {}), prior = model.log_prior(theta, {});
    EXPECT_NEAR(model.log_likelihood(chosen, {}), value, 1e-11 * std::abs(value));
    EXPECT_NEAR(model.log_prior(chosen, {}), prior, 1e-11 * std::abs(prior));
    const std::size_t order[] = {2, 0, 3, 1};
    const double signs[3][4] = {{1, -1, -1, 1}, {-1, -1, 1, 1}, {-1, 1, -1, 1}};  // products of one
    Vector image = theta;
    for (std::size_t row = 0; row < 15; ++row)
      for (std::size_t r = 0; r < 4; ++r)
        image[4 * row + r] =
            theta[4 * row + order[r]] * (likelihood == CpLikelihood::gaussian ? signs[row < 6    ? 0
                                                                                      : row < 11 ? 1
                                                                                                 : 2][r]
                                                                              : 1.0);
    EXPECT_NE(image, theta);
    model.choose_representative(image);
    EXPECT_EQ(image, chosen);
  }
}

TEST(CpModel, APointWithoutMassHasNoGradient) {
  const Case counts = random_case({4, 3}, 10, CpLikelihood::poisson, false, 2);
  CpModelOptions options;
  options.rank = 1;
  CpModel model = model_of(counts, options, 2);
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {0.0, 1e-300, 1e300}) {  // of all entries: models of 0, 0 and infinity
    Vector theta(7, bad), gradient(7, 1.0);
    EXPECT_EQ(model.log_likelihood(theta, gradient), -infinity);
    EXPECT_EQ(gradient, Vector(7, 0.0));
  }
  CpModel normal = model_of(random_case({4, 3}, 10, CpLikelihood::gaussian, false, 2), options, 2);
  Vector theta(8, 1e200), gradient(8, 1.0);
  EXPECT_EQ(normal.log_likelihood(theta, gradient), -infinity);
  EXPECT_EQ(gradient, Vector(8, 0.0));
}

template <class Make>
std::string refusal(Make make) {
  try {
    make();
  } catch (const Error& error) {
    return error.message();
  }
  return "accepted";
}

TEST(CpModel, RefusesOptionsThatMakeNoSense) {
  const Case counts = random_case({4, 3}, 10, CpLikelihood::poisson, false, 2);
  const Case zeros{CpLikelihood::gaussian, false, SparseTensor({4, 3}), SparseTensor({4, 3})};
  CpModelOptions options;
  options.rank = 0;
  EXPECT_EQ(refusal([&] { model_of(counts, options, 1); }), "tempera: error: rank: is 0, below 1");
  options.rank = 1;
  options.prior_shape = 0.01;
  EXPECT_EQ(refusal([&] { model_of(counts, options, 1); }),
            "tempera: error: prior_shape: is 0.01, it has to be 0.1 or more\n"
            "hint: draws of smaller shapes are too small to be numbers");
  options.prior_shape = 1;
  options.noise_sd = -1;
  EXPECT_EQ(refusal([&] { model_of(zeros, options, 1); }),
            "tempera: error: noise_sd: is -1, it has to be a positive number");
  options.noise_sd.reset();
  EXPECT_EQ(refusal([&] { model_of(zeros, options, 1); }),
            "tempera: error: all cells are zero: there is no scale to choose prior_scale by\nhint: set prior_scale");
  options.prior_scale = options.noise_scale = 1.0;
  EXPECT_EQ(refusal([&] { model_of(zeros, options, 1); }), "accepted");
}

}  // namespace
}  // namespace tempera
