#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "drivers/commands/decompose_options.hpp"
#include "drivers/commands/plan/decompose_estimate.hpp"
#include "drivers/commands/plan/planner.hpp"
#include "drivers/commands/plan/scaling.hpp"

namespace tempera::drivers {

/// What the plan of a decomposition is asked for.
struct DecomposePlanTask {
  const DecomposeOptions& options;
  int ranks;
  const std::vector<int>& grid;  ///< fixed extents, or empty
  std::string machine;           ///< its name
};

/// Words of factor rows in a sweep under a partition of the nonzeros.
struct PartitionWords {
  std::string name;
  double words = 0;
  double balance = 1;
};

/// All that a plan says.
struct DecomposePlanFacts {
  DecomposeEstimate estimate;
  std::optional<double> bound;           ///< words of one MTTKRP that some rank has to move; dense tensors only
  double moved = 0;                      ///< words that the heaviest rank moves for one
  std::vector<PartitionWords> compared;  ///< sparse tensors only
  std::vector<ScalingPoint> strong, weak;
  int best_ranks = 1;
};

/// The plan of `tempera decompose` with these options, as text and JSON, with the warnings it deserves.
Plan decompose_plan(const DecomposePlanTask& task, const PlannedTensor& tensor, DecomposeEstimates& estimates);

/// Bytes that the ranks of a full node hold.
double node_memory(const DecomposeEstimate& estimate);

std::string decompose_plan_text(const DecomposePlanTask& task, const PlannedTensor& tensor,
                                const DecomposeEstimates& estimates, const DecomposePlanFacts& facts);
nlohmann::ordered_json decompose_plan_json(const DecomposePlanTask& task, const PlannedTensor& tensor,
                                           const DecomposeEstimates& estimates, const DecomposePlanFacts& facts);

}  // namespace tempera::drivers
