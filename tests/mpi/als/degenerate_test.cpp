#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "distributed/als/cp_apr.hpp"
#include "tests/support/combinations.hpp"
#include "tests/support/constrained.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

/// A tensor at the edge of what makes sense, and a rank.
struct Edge {
  const char* name;
  SparseTensor tensor;
  Index rank;
};

SparseTensor cells(const std::vector<Index>& shape, const std::vector<std::vector<Index>>& nonzeros) {
  SparseTensor tensor(shape);
  for (std::size_t k = 0; k < nonzeros.size(); ++k) tensor.append(nonzeros[k], 1 + static_cast<double>(k % 3));
  return tensor;
}

std::vector<Edge> edges() {
  return {
      {"a single nonzero", cells({6, 5, 4}, {{3, 2, 1}}), 2},
      {"empty slices in every mode", cells({9, 8, 7}, {{1, 1, 1}, {1, 6, 3}, {5, 1, 3}, {5, 6, 1}, {7, 4, 5}}), 3},
      {"modes of size 1", cells({1, 5, 1}, {{0, 0, 0}, {0, 2, 0}, {0, 3, 0}}), 2},
      {"a rank above all sizes",
       cells({3, 2, 2}, {{0, 0, 0}, {0, 0, 1}, {0, 1, 1}, {1, 0, 0}, {1, 1, 0}, {2, 0, 1}, {2, 1, 0}, {2, 1, 1}}), 5},
      {"a single cell", cells({1, 1, 1}, {{0, 0, 0}}), 3}};
}

/// The same texts for every mode, or for one.
std::vector<std::vector<std::string>> placements(const std::string& text, int order) {
  return {{text}, {text + "@0"}, {text + "@" + std::to_string(order - 1)}};
}

bool all_finite(const KruskalTensor& model) {
  const auto finite = [](double value) { return std::isfinite(value); };
  return std::all_of(model.weights.begin(), model.weights.end(), finite) &&
         std::all_of(model.factors.begin(), model.factors.end(), [&](const FactorMatrix& factor) {
           return std::all_of(factor.storage().begin(), factor.storage().end(), finite);
         });
}

bool allows_zero(const Constraint& constraint) {
  return constraint.simplex == Constraint::Simplex::none && !constraint.orthogonal;
}

void check(const DistributedTensor& spread, const DenseTensor& tensor, const CpOptions& options) {
  double previous = std::numeric_limits<double>::infinity();
  CpObserver observer;
  observer.progress = [&](const CpStep& step) {
    EXPECT_TRUE(std::isfinite(step.objective));
    // Singular normal equations are damped by up to 1e-10.
    EXPECT_LE(step.objective, previous + 1e-10 * spread.norm_squared()) << "sweep " << step.iteration;
    previous = step.objective;
  };
  const CpResult result = cp_als(spread, options, observer);
  const KruskalTensor model = test::gathered(spread, result);
  EXPECT_TRUE(all_finite(model));
  EXPECT_NEAR(result.fit, test::direct_fit(tensor, model), 1e-5);  // near 1 the formula knows the root of rounding
  std::vector<Constraint> effective = options.constraints;
  bound_free_modes(effective);
  for (std::size_t mode = 0; mode < effective.size(); ++mode)
    EXPECT_LE(test::infeasibility(model.factors[mode], effective[mode]), 1e-12) << "mode " << mode;
  // The zero model costs ‖X‖²; none that could have been zero is worse.
  if (std::all_of(effective.begin(), effective.end(), allows_zero)) {
    EXPECT_LE(result.objective, spread.norm_squared() * (1 + 1e-12));
  }
}

TEST(DegenerateTensors, EveryConstraintHoldsAndNothingOverflows) {
  const Communicator world(MPI_COMM_WORLD);
  for (const Edge& edge : edges()) {
    const DenseTensor tensor = test::filled(edge.tensor);
    const auto sparse = test::distributed(world, edge.tensor), dense = test::distributed(world, tensor);
    for (const std::string& text : test::constraint_texts())
      for (const auto& texts : placements(text, edge.tensor.order())) {
        CpOptions options;
        options.rank = edge.rank;
        options.iterations = 12;
        options.tolerance = 0;
        options.constraints = parse_constraints(texts, edge.tensor.order());
        for (const auto* spread : {sparse.get(), dense.get()}) {
          SCOPED_TRACE(std::string(edge.name) + ", " + texts[0] + (spread == sparse.get() ? ", sparse" : ", dense"));
          try {
            check_cp_options(spread->shape(), options);
          } catch (const Error& error) {
            EXPECT_EQ(text, "orthogonal") << error.message();
            EXPECT_FALSE(error.hint().empty());
            continue;
          }
          check(*spread, tensor, options);
        }
      }
  }
}

TEST(DegenerateTensors, CountsAreFitted) {
  const Communicator world(MPI_COMM_WORLD);
  for (const Edge& edge : edges()) {
    const DenseTensor tensor = test::filled(edge.tensor);
    for (const CountSolver solver : {CountSolver::multiplicative, CountSolver::newton})
      for (const bool sparse : {false, true}) {
        SCOPED_TRACE(edge.name);
        const auto spread = sparse ? test::distributed(world, edge.tensor) : test::distributed(world, tensor);
        CpOptions options;
        options.rank = edge.rank;
        options.iterations = 12;
        options.tolerance = 0;
        options.count_solver = solver;
        const CpResult result = cp_apr(*spread, options);
        EXPECT_TRUE(all_finite(test::gathered(*spread, result)));
        EXPECT_TRUE(std::isfinite(result.deviance.value()));
        EXPECT_GE(result.deviance.value(), -1e-12);
      }
  }
}

}  // namespace
}  // namespace tempera
