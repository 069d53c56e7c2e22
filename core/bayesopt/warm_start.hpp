#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/bayesopt/trial.hpp"

namespace tempera {

/// What another run found out, in points of this space.
struct SourceTrials {
  std::string name;        ///< of the run
  bool same_task = false;  ///< its values are values of this task; else they only tell where to look
  std::vector<Trial> trials;
  Index left_out = 0;                   ///< trials that have no point here
  std::vector<std::string> notes = {};  ///< for people: what was left out and filled in
};

/// The trials of a run over another space as this one sees them. Parameters are matched by name. A trial with a value
/// outside the bounds or choices of this space is left out; a parameter that only this space has takes its initial value,
/// else the middle; one that only the other has is forgotten.
/// @throws Error{input} at `name` if the spaces share no parameter, no trial succeeded, or no point of one that did lies here
SourceTrials adopt_trials(const Space& space, const Space& source, std::span<const Trial> trials, std::string name,
                          bool same_task);

/// The best trials of the sources in turn, the least value first, that lie apart (0.1 of the diagonal at least) and may be
/// tried: the points to begin with.
std::vector<Point> best_apart(const Space& space, std::span<const SourceTrials> sources, Index count);

}  // namespace tempera
