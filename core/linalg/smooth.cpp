#include <lapacke.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/index.hpp"
#include "core/linalg/prox.hpp"

namespace tempera {

namespace {

constexpr int kBand = 2;
constexpr int kFullExchanges = 3;  // without progress before the backup rule (Kim & Park 2011)
constexpr double kFeasible = 1e-14;

/// Entry (i, i + distance) of I + strength DᵀD, n × n, n ≥ 3.
double entry(Index n, Index i, Index distance, double strength) {
  // Row k of D, for 1 ≤ k ≤ n − 2, is 1, −2, 1 at k − 1, k, k + 1.
  constexpr double kStencil[3] = {1, -2, 1};
  double sum = distance == 0 ? 1.0 : 0.0;
  for (Index k = std::max<Index>(1, i + distance - 1); k <= std::min(n - 2, i + 1); ++k)
    sum += strength * kStencil[i - k + 1] * kStencil[i + distance - k + 1];
  return sum;
}

/// Solves the part of the system that belongs to the entries `kept`, in place.
void solve(Index n, const std::vector<Index>& kept, double strength, double* x) {
  const std::size_t size = kept.size();
  std::vector<double> band((kBand + 1) * size, 0.0);  // lower triangle, LAPACK's banded form
  for (std::size_t j = 0; j < size; ++j)
    for (std::size_t i = j; i < std::min(size, j + kBand + 1); ++i)
      if (kept[i] - kept[j] <= kBand) band[(kBand + 1) * j + i - j] = entry(n, kept[j], kept[i] - kept[j], strength);
  const auto order = static_cast<lapack_int>(size);
  if (order > 0 &&
      LAPACKE_dpbsv(LAPACK_COL_MAJOR, 'L', order, kBand, 1, band.data(), kBand + 1, x, std::max(1, order)) != 0)
    throw Error(Category::numerical, "", "the smoothness penalty of a mode overflows",
                "choose a smaller weight for it");
}

/// (I + strength DᵀD) z at entry i.
double product(std::span<const double> z, Index i, double strength) {
  const auto n = static_cast<Index>(z.size());
  double sum = 0;
  for (Index j = std::max<Index>(0, i - kBand); j <= std::min(n - 1, i + kBand); ++j)
    sum += entry(n, std::min(i, j), std::abs(i - j), strength) * z[static_cast<std::size_t>(j)];
  return sum;
}

}  // namespace

double roughness(std::span<const double> x) {
  double sum = 0;
  for (std::size_t i = 1; i + 1 < x.size(); ++i) {
    const double difference = x[i - 1] - 2 * x[i] + x[i + 1];
    sum += difference * difference;
  }
  return sum;
}

void smooth(std::span<double> x, double strength) {
  const auto n = static_cast<Index>(x.size());
  if (n < 3 || strength == 0) return;
  std::vector<Index> all(x.size());
  for (Index i = 0; i < n; ++i) all[static_cast<std::size_t>(i)] = i;
  solve(n, all, strength, x.data());
}

void smooth_nonnegative(std::span<double> x, double strength) {
  const auto n = static_cast<Index>(x.size());
  if (n < 3 || strength == 0) return clip(x, 0, std::numeric_limits<double>::infinity());
  const std::vector<double> target(x.begin(), x.end());
  double scale = 0;
  for (const double value : target) scale = std::max(scale, std::abs(value));
  const double tolerance = kFeasible * scale * (1 + strength);
  smooth(x, strength);
  std::vector<bool> positive(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) positive[i] = x[i] > 0;
  Index fewest = n + 1;
  int full_exchanges = kFullExchanges;
  for (Index step = 0; step < 20 * n + 100; ++step) {
    std::vector<Index> kept;
    std::vector<double> part;
    for (Index i = 0; i < n; ++i)
      if (positive[static_cast<std::size_t>(i)]) {
        kept.push_back(i);
        part.push_back(target[static_cast<std::size_t>(i)]);
      }
    solve(n, kept, strength, part.data());
    std::fill(x.begin(), x.end(), 0.0);
    for (std::size_t k = 0; k < kept.size(); ++k) x[static_cast<std::size_t>(kept[k])] = part[k];
    std::vector<std::size_t> wrong;
    for (std::size_t i = 0; i < x.size(); ++i)
      if (positive[i] ? x[i] < -kFeasible * scale
                      : product(x, static_cast<Index>(i), strength) - target[i] < -tolerance)
        wrong.push_back(i);
    if (wrong.empty()) break;
    const auto count = static_cast<Index>(wrong.size());
    if (count < fewest) {
      fewest = count;
      full_exchanges = kFullExchanges;
    } else if (full_exchanges > 0) {
      --full_exchanges;
    } else {
      wrong.erase(wrong.begin(), wrong.end() - 1);  // the backup rule: the last one alone, which ends in finite steps
    }
    for (const std::size_t i : wrong) positive[i] = !positive[i];
  }
  clip(x, 0, std::numeric_limits<double>::infinity());
}

}  // namespace tempera
