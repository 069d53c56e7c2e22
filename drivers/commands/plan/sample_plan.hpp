#pragma once

#include <optional>
#include <string>
#include <vector>

#include "distributed/tempering/tempering_plan.hpp"
#include "drivers/commands/sample/sample_options.hpp"
#include "drivers/commands/sample/sample_problem.hpp"
#include "drivers/machine/machine.hpp"

namespace tempera::drivers {

/// What a few steps of the engine in this process took.
struct MeasuredSteps {
  double seconds_per_evaluation = 0;  ///< of the density, with all data on one rank
  double evaluations_per_step = 0;    ///< a step of one replica: between two swaps
  double barrier = 0;                 ///< that the last round of the trial found; NaN for one chain
  bool of_steps = true;               ///< false: what a step takes is not known, one evaluation is put for it

  double seconds_per_step() const { return seconds_per_evaluation * evaluations_per_step; }
};

/// Runs first rounds of the very ladder in this process, as many as fit half a second, at least one.
/// @throws what the engine does: a density that is NaN or infinite
MeasuredSteps measure_steps(const Target& target, const Explorer& explorer, const TemperingOptions& options);

/// Only evaluations, for as long: where the ladder does not fit into the memory that is here.
MeasuredSteps measure_evaluations(const Target& target, std::uint64_t seed);

/// Ranks of a run in groups that share the data of one density.
struct SampleLayout {
  int ranks = 1;
  int groups = 1;  ///< run a sampler each
  int smallest_group = 1, largest_group = 1;
  int idle_groups = 0;                          ///< hold no replica
  Index most_replicas = 0, least_replicas = 0;  ///< on a group with any

  int idle_ranks() const { return ranks - (groups - idle_groups) * smallest_group; }
};
SampleLayout sample_layout(int ranks, int ranks_per_replica, Index replicas);
/// The least number of ranks on which no group holds more replicas than on these.
int tight_ranks(const SampleLayout& layout, int ranks_per_replica, Index replicas);

/// Of one evaluation by a group of several ranks; nothing where its leader holds all data.
struct GroupTraffic {
  Traffic leader_value, leader_gradient;  ///< θ to the others
  Traffic others_value, others_gradient;  ///< their pieces, all together
};
GroupTraffic group_traffic(const BlockModel& model, int group);

/// Seconds of one scan of the last round on a layout.
struct ScanTime {
  double exploring = 0;  ///< on the group with the most replicas
  double density = 0;    ///< of that, what the ranks of a group send each other
  double swaps = 0;
  double round_end = 0;  ///< a scan's share

  double total() const { return exploring + swaps + round_end; }
  double communication() const { return density + swaps + round_end; }
};

struct ScalingRow {
  int ranks = 1;
  ScanTime time;
  double speedup = 1;
  double efficiency = 1;
};

/// Bytes on rank 0.
struct DrawsMemory {
  double waiting = 0;    ///< to be written, all the time
  double summaries = 0;  ///< at the end,
  double file = 0;       ///< and after them
};

/// All that the plan of a sampling says.
struct SamplePlan {
  std::string what;
  std::string explorer;
  TemperingPlan tempering;  ///< on the leaders of the groups
  SampleLayout layout;
  MeasuredSteps steps;
  std::optional<double> barrier;  ///< given, or of an earlier run
  std::string barrier_source;
  bool of_tensor = false;
  std::optional<GroupTraffic> group;
  // Of the busiest rank, or of all together; over the whole run.
  Traffic exact_all, exact_most;
  double swap_letters_all = 0, swap_letters_a_scan = 0;
  Traffic statistics_all;
  Traffic results_all;
  double rejection = 0, round_trips = 0,
         round_trips_limit = 0;  ///< of a pair; in the last round, and with endlessly many chains
  TemperingMemory memory;        ///< of the fullest rank
  double target_bytes = 0;       ///< data and caches of the density on the fullest rank
  DrawsMemory draws;
  double draws_file_bytes = 0;
  std::vector<ScalingRow> scaling;
  std::vector<ScalingRow>
      weak;  ///< with as many copies a rank as there are in all: speed-up is that of their scans together

  double memory_bytes = 0;  ///< on the fullest rank, beside what a process has when it begins
  double memory_bytes_of(const TemperingMemory& of_rank, bool collects) const;
};

/// @param barrier  as far as it is known
SamplePlan plan_sample(const SampleOptions& options, const SampleProblem& problem, int ranks,
                       std::optional<double> barrier, const Machine& machine);

}  // namespace tempera::drivers
