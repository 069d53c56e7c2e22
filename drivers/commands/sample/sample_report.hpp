#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/region_report.hpp"
#include "core/sampling/diagnostics.hpp"
#include "core/sampling/weighted_summary.hpp"
#include "distributed/tempering/held_out_prediction.hpp"
#include "distributed/tempering/tempering.hpp"
#include "drivers/commands/sample/sample_options.hpp"

namespace tempera::drivers {

/// Of Hamiltonian explorers, at the target in the last round.
struct EnergyFacts {
  double bfmi = 0;  ///< least E-BFMI of a stream: mean squared change of the energy over its variance
  Index divergences = 0;
  double saturated = 0;  ///< share of trees that had to stop growing
};

/// All that rank 0 needs to describe finished draws.
struct SampleFacts {
  std::string what;  ///< "mixture", "counts.tns"
  std::string explorer;
  TemperingOptions tempering;
  std::vector<TemperingRound> rounds;
  std::vector<std::string> names;           ///< of the parameters, entry by entry
  std::vector<ParameterSummary> summaries;  ///< of each
  std::vector<double> nested;               ///< nested R-hat of each over the copies; empty for one copy
  std::vector<WeightedSummary> weighted;    ///< of each, by the draws of all temperatures; empty unless they are kept
  Index streams = 0;                        ///< at the target
  Index draws = 0;                          ///< of each stream
  bool absolute = false;  ///< evidences mean something: a proper prior, and a reference that is normalised
  std::optional<std::string> improper;  ///< the parameter whose prior is
  std::optional<double> exact_log_evidence;
  std::optional<EnergyFacts> energy;
  std::optional<CpModelOptions> model;  ///< of a tensor, with the defaults filled in
  std::optional<PredictionScore> holdout;
  double seconds = 0;
  int mpi_ranks = 1;
  std::int64_t memory_bytes_max = 0;  ///< growth of resident memory since MPI started, most on one rank
  std::vector<RegionSummary> regions;

  const TemperingRound& last() const { return rounds.back(); }
};

/// Largest R-hat and least effective sample sizes over the parameters that vary.
struct WorstParameters {
  double rhat = 0, ess_bulk = 0, ess_tail = 0;
  std::size_t rhat_at = 0, bulk_at = 0, tail_at = 0;
  bool known = false;  ///< there are enough draws to tell
};
WorstParameters worst_of(const std::vector<ParameterSummary>& summaries);

/// Whether the draws can be trusted, why not, and what to do.
struct Verdict {
  bool good = true;
  std::vector<std::string> reasons;  ///< against it
  std::vector<std::string> advice;   ///< one for each reason
};
Verdict judge(const SampleFacts& facts);

/// summary.json
nlohmann::ordered_json sample_summary(const SampleOptions& options, const SampleFacts& facts);
/// The same for people.
std::string sample_text(const SampleOptions& options, const SampleFacts& facts, const std::string& run_folder);

}  // namespace tempera::drivers
