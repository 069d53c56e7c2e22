#include "distributed/als/cp_health.hpp"

#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "core/tensor/gram.hpp"

namespace tempera {

namespace {

constexpr double kSingular = 1e-16;  // eigenvalues below this share of the largest are rounding

std::vector<GramMatrix> gram_matrices(const CpStart& start) {
  std::vector<GramMatrix> grams;
  for (const auto& values : start.grams) {
    GramMatrix& one = grams.emplace_back(std::ssize(start.weights));
    one.values = values;
  }
  return grams;
}

/// Inner products of the components of the model.
GramMatrix of_components(const CpStart& start) {
  GramMatrix all = hadamard(gram_matrices(start), -1);
  for (Index j = 0; j < all.rank; ++j)
    for (Index i = 0; i < all.rank; ++i)
      all(i, j) *= start.weights[static_cast<std::size_t>(i)] * start.weights[static_cast<std::size_t>(j)];
  return all;
}

double sum_of_squares(const GramMatrix& components) {
  double sum = 0;
  for (Index r = 0; r < components.rank; ++r) sum += components(r, r);
  return sum;
}

double condition_of(const GramMatrix& h) {
  std::vector<double> matrix = h.values, eigenvalues(static_cast<std::size_t>(h.rank));
  const auto n = static_cast<int>(h.rank);
  if (LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'N', 'U', n, matrix.data(), n, eigenvalues.data()) != 0)
    throw Error(Category::numerical, "", "the eigenvalues of the normal equations were not found");
  const double least = eigenvalues.front(), largest = eigenvalues.back();
  return least > kSingular * largest ? largest / least : std::numeric_limits<double>::infinity();
}

void find_opposed(const GramMatrix& components, CpHealth& health) {
  for (Index j = 0; j < components.rank; ++j)
    for (Index i = 0; i < j; ++i) {
      const double norms = std::sqrt(components(i, i) * components(j, j));
      const double cosine = norms > 0 ? components(i, j) / norms : 0;
      if (cosine >= health.least_cosine_product) continue;
      health.least_cosine_product = cosine;
      health.opposed[0] = static_cast<int>(i);
      health.opposed[1] = static_cast<int>(j);
    }
}

}  // namespace

void note_sweep(CpStart& start, double gain) {
  const bool watched = start.stands_still && start.iteration > 1;
  start.stands_still = std::abs(gain) < kStandstill;
  start.stalled = watched && start.stands_still && start.movement > kMoving ? start.stalled + 1 : 0;
  start.longest_stall = std::max(start.longest_stall, start.stalled);
  if (start.grams.empty()) return;
  start.recent_squares.push_back(sum_of_squares(of_components(start)));
  if (std::ssize(start.recent_squares) > kRememberedSweeps + 1)
    start.recent_squares.erase(start.recent_squares.begin());
}

CpHealth health_of(const CpStart& start) {
  CpHealth health;
  health.swamp_sweeps = start.longest_stall;
  health.movement = start.movement;
  health.swamp = start.longest_stall >= kSwampSweeps;
  if (start.grams.empty()) return health;
  const GramMatrix components = of_components(start);
  find_opposed(components, health);
  double model = 0;
  for (const double value : components.values) model += value;
  const double squares = sum_of_squares(components);
  if (squares > 0) health.cancellation = model > 0 ? squares / model : std::numeric_limits<double>::infinity();
  if (!start.recent_squares.empty() && start.recent_squares.front() > 0)
    health.growth = std::sqrt(start.recent_squares.back() / start.recent_squares.front());
  health.degenerate = health.least_cosine_product < kOpposing && health.growth > kStillGrowing;
  const std::vector<GramMatrix> grams = gram_matrices(start);
  for (int mode = 0; mode < static_cast<int>(grams.size()); ++mode)
    health.conditions.push_back(condition_of(hadamard(grams, mode)));
  return health;
}

}  // namespace tempera
