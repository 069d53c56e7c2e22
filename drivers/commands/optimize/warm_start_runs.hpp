#pragma once

#include <filesystem>
#include <vector>

#include "distributed/communicator/communicator.hpp"
#include "drivers/commands/optimize/optimize_problem.hpp"

namespace tempera::drivers {

/// What the runs of --warm-start found, as this problem's space sees it: rank 0 reads them, all get them. Those that the run's
/// own journal has are taken from there, so that a run goes on without its sources. Collective.
/// @param journal  of the run; need not be there
/// @throws Error{input} naming the run: it is none, it has no trial that succeeded, its space has nothing in common with this
/// one; or it is told to be of the same task but has another direction, or does not report the constraints of this one
std::vector<SourceTrials> find_sources(const Communicator& world, const OptimizeProblem& problem,
                                       const OptimizeOptions& options, const std::filesystem::path& journal);

}  // namespace tempera::drivers
