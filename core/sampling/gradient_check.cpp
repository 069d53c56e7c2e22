#include "core/sampling/gradient_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {

constexpr Index kOneByOne = 200;
constexpr double kTolerance = 1e-4;

/// Entries of u that a block takes.
Index unconstrained_size(const ParameterBlock& block) {
  Index total = 1, value = 1;
  const std::size_t own = block.shape.size() - static_cast<std::size_t>(block.transform.order());
  for (std::size_t k = 0; k < block.shape.size(); ++k) (k < own ? total : value) *= block.shape[k];
  if (block.transform.order() == 0) return block.transform.unconstrained_size(total);
  return total * block.transform.unconstrained_size(value);
}

/// "beta[3]", "tau", "unconstrained entry 2 of weights" where a transform has other numbers of entries on its two sides.
std::string coordinate_name(const Target& target, Index coordinate) {
  for (const ParameterBlock& block : target.parameters()) {
    const Index size = unconstrained_size(block);
    if (coordinate >= size) {
      coordinate -= size;
      continue;
    }
    Index total = 1;
    for (const Index length : block.shape) total *= length;
    if (total != size) return fmt::format("unconstrained entry {} of {}", coordinate + 1, block.name);
    return entry_name(block, coordinate);
  }
  return fmt::format("coordinate {}", coordinate + 1);
}

using Parts = std::array<double, 2>;  // reference, likelihood

/// A derivative by differences, and how far it may be off.
struct Derivative {
  double value = 0;
  double error = std::numeric_limits<double>::infinity();
};

class GradientCheck {
 public:
  GradientCheck(Target& target, std::span<const double> u)
      : target_(target), u_(u), moved_(u.size()), direction_(u.size()), gradients_{moved_, moved_} {
    target_.evaluate(u, gradients_[0], gradients_[1]);
  }

  /// Coordinate i alone.
  void check(Index i) {
    std::fill(direction_.begin(), direction_.end(), 0.0);
    direction_[static_cast<std::size_t>(i)] = 1;
    Parts given{}, found{};
    if (const int part = wrong_part(i, i + 1, given, found); part >= 0) refuse(i, part, given, found);
  }

  /// Random signs in all coordinates; then in the half that is wrong.
  void check_sums(RandomStream& stream) {
    Index begin = 0, end = std::ssize(u_);
    Parts given{}, found{};
    if (!draws_wrong(stream, begin, end, given, found)) return;
    while (end - begin > 1) {
      const Index middle = begin + (end - begin) / 2;
      if (draws_wrong(stream, begin, middle, given, found))
        end = middle;
      else if (draws_wrong(stream, middle, end, given, found))
        begin = middle;
      else
        return;
    }
    check(begin);
  }

 private:
  bool draws_wrong(RandomStream& stream, Index begin, Index end, Parts& given, Parts& found) {
    std::fill(direction_.begin(), direction_.end(), 0.0);
    for (Index i = begin; i < end; ++i) direction_[static_cast<std::size_t>(i)] = stream.uniform() < 0.5 ? -1 : 1;
    return wrong_part(begin, end, given, found) >= 0;
  }

  /// The first part of the density whose derivative along the direction is wrong, from every first step; −1 if there is none.
  int wrong_part(Index begin, Index end, Parts& given, Parts& found) {
    double size = 1;
    given = {0, 0};
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      size = std::max(size, std::abs(u_[i]) / 8);
      for (const std::size_t part : {0u, 1u}) given[part] += direction_[i] * gradients_[part][i];
    }
    std::array<bool, 2> wrong{true, true};
    for (const double first_step : {0.125, 0.01, 0.0007}) {
      const std::array<Derivative, 2> differences = derivative(first_step * size);
      for (const std::size_t part : {0u, 1u}) {
        const auto [value, error] = differences[part];
        const double allowed = kTolerance * std::max(std::abs(value), std::abs(given[part])) + error;
        wrong[part] = wrong[part] && (std::isnan(given[part]) || std::abs(given[part] - value) > allowed);
        found[part] = value;
      }
      if (!wrong[0] && !wrong[1]) return -1;
    }
    return wrong[0] ? 0 : 1;
  }

  Parts at(double shift) {
    for (std::size_t i = 0; i < u_.size(); ++i) moved_[i] = u_[i] + shift * direction_[i];
    const LogDensity density = target_.evaluate(moved_);
    return {density.reference, density.likelihood};
  }

  /// Ridders 1982: central differences with halved steps, extrapolated to none.
  std::array<Derivative, 2> derivative(double step) {
    constexpr std::size_t kRows = 10;
    constexpr double kSafe = 100;      // times the estimated error
    constexpr double kRounding = 50;   // times ε of the density, over the step
    constexpr int kMostHalvings = 40;  // to get inside the support
    std::array<std::array<std::array<double, kRows>, kRows>, 2> table{};
    std::array<Derivative, 2> best, plain;
    Parts above = at(step), below = at(-step);
    const auto finite = [](const Parts& parts) { return std::isfinite(parts[0]) && std::isfinite(parts[1]); };
    for (int k = 0; k < kMostHalvings && !(finite(above) && finite(below)); ++k) {
      step /= 2;
      above = at(step);
      below = at(-step);
    }
    for (std::size_t row = 0; row < kRows && finite(above) && finite(below); ++row) {
      for (const std::size_t part : {0u, 1u}) {
        auto& entries = table[part];
        entries[row][0] = (above[part] - below[part]) / (2 * step);
        const double size = std::max(std::abs(above[part]), std::abs(below[part]));
        const double rounding = kRounding * std::numeric_limits<double>::epsilon() * size / step;
        plain[part] = {entries[row][0], rounding};
        double factor = 1;
        for (std::size_t k = 1; k <= row; ++k) {
          factor *= 4;
          entries[row][k] = (factor * entries[row][k - 1] - entries[row - 1][k - 1]) / (factor - 1);
          const double change = std::max(std::abs(entries[row][k] - entries[row][k - 1]),
                                         std::abs(entries[row][k] - entries[row - 1][k - 1]));
          if (const double error = kSafe * change + rounding; error < best[part].error)
            best[part] = {entries[row][k], error};
        }
      }
      step /= 2;
      above = at(step);
      below = at(-step);
    }
    // A kink far within the first steps: the last difference, unless it is mere rounding, is another than the best guess.
    for (const std::size_t part : {0u, 1u})
      if (const double apart = std::abs(plain[part].value - best[part].value);
          apart > plain[part].error + 0.1 * std::abs(best[part].value))
        best[part].error = std::numeric_limits<double>::infinity();
    return best;
  }

  [[noreturn]] void refuse(Index i, int part, const Parts& given, const Parts& found) const {
    const auto at = static_cast<std::size_t>(part);
    throw Error(Category::input, fmt::format("parameter {}", coordinate_name(target_, i)),
                fmt::format("the derivative of the log {} is given as {:.8g}, but differences of its values say {:.8g}",
                            part == 0 ? "prior (reference)" : "likelihood", given[at], found[at]),
                "correct the gradient, or choose an explorer that needs none, such as slice or rwm");
  }

  Target& target_;
  std::span<const double> u_;
  std::vector<double> moved_, direction_;
  std::array<std::vector<double>, 2> gradients_;
};

}  // namespace

void check_gradient(Target& target, std::span<const double> u) {
  TEMPERA_EXPECTS(target.has_gradient() && std::ssize(u) == target.dimension());
  GradientCheck check(target, u);
  if (target.dimension() <= kOneByOne) {
    for (Index i = 0; i < target.dimension(); ++i) check.check(i);
    return;
  }
  RandomStream stream(0, "gradient-check");
  for (int repeat = 0; repeat < 4; ++repeat) check.check_sums(stream);
}

}  // namespace tempera
