#include "core/bayesopt/feasible.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {

Point draw_point(const Space& space, RandomStream& stream) {
  std::vector<double> unit(static_cast<std::size_t>(space.size()));
  for (double& coordinate : unit) coordinate = stream.uniform();
  return space.from_unit(unit);
}

/// Names the constraint that fails most often.
[[noreturn]] void refuse_constraints(const Space& space, RandomStream& stream) {
  constexpr Index kDraws = 10'000;
  std::vector<Index> failures(space.constraints().size(), 0);
  for (Index i = 0; i < kDraws; ++i) {
    const Point point = draw_point(space, stream);
    for (std::size_t c = 0; c < failures.size(); ++c)
      failures[c] += space.feasible(point, static_cast<Index>(c)) ? 0 : 1;
  }
  const auto worst = std::max_element(failures.begin(), failures.end());
  const Index culprit = worst == failures.end() ? 0 : worst - failures.begin();
  const std::string hint =
      worst == failures.end()
          ? "the function that restricts the space allows none of them"
          : fmt::format("'{}' fails in {:.4g} % of the draws: loosen it, or narrow the bounds around what it allows",
                        space.constraints()[static_cast<std::size_t>(culprit)].text(),
                        100.0 * static_cast<double>(*worst) / static_cast<double>(kDraws));
  throw SpaceError({}, worst == failures.end() ? std::optional<Index>() : culprit, "expression",
                   fmt::format("no point satisfies the constraints in {} draws", kMostFeasibleDraws), hint);
}

}  // namespace

FeasibleDraw draw_feasible(const Space& space, RandomStream& stream) {
  FeasibleDraw draw;
  for (; draw.draws <= kMostFeasibleDraws; ++draw.draws) {
    draw.point = draw_point(space, stream);
    if (space.feasible(draw.point)) return draw;
  }
  refuse_constraints(space, stream);
}

Point sample_feasible(const Space& space, RandomStream& stream) {
  return draw_feasible(space, stream).point;
}

double acceptance_rate(const Space& space, RandomStream& stream, Index draws) {
  TEMPERA_EXPECTS(draws >= 1);
  Index accepted = 0;
  for (Index i = 0; i < draws; ++i) accepted += space.feasible(draw_point(space, stream)) ? 1 : 0;
  return static_cast<double>(accepted) / static_cast<double>(draws);
}

}  // namespace tempera
