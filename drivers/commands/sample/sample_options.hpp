#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/option_schema.hpp"
#include "core/sampling/target.hpp"
#include "distributed/tempering/tempering.hpp"
#include "drivers/common_options.hpp"

namespace tempera::drivers {

/// What `tempera sample` can be told; see declare for the meaning of each.
struct SampleOptions {
  std::string target;
  std::vector<std::string> settings;
  std::filesystem::path data;
  std::string tensor;
  std::int64_t rank = 4;
  std::string likelihood = "gaussian";
  std::optional<double> noise_sd;
  std::optional<double> prior_scale;
  double prior_shape = 1;
  std::optional<double> prior_rate;
  std::string missing = "zero";
  std::int64_t index_base = 1;
  double holdout = 0;
  std::string algorithm = "pt";
  std::optional<std::int64_t> replicas;
  std::int64_t copies = 1;
  std::string explorer = "auto";
  std::string reference = "auto";
  int rounds = 10;
  std::optional<double> until_rhat;
  std::optional<double> until_ess;
  int ranks_per_replica = 1;
  std::int64_t thin = 1;
  std::string keep = "target";
  CommonOptions common;

  bool of_tensor() const { return !tensor.empty(); }
  /// What a message names: the target or the tensor.
  const std::string& sampled() const { return of_tensor() ? tensor : target; }
  bool until() const { return until_rhat || until_ess; }
};

void declare(OptionSchema& schema, SampleOptions& options);
/// The same for a run that goes on: without what only a new run has.
void declare_for_resume(OptionSchema& schema, SampleOptions& options);

/// Checks what needs no data and fills in what depends on other options.
/// @throws Error{usage}
void complete(const OptionSchema& schema, SampleOptions& options);

/// The explorer's name, "auto" resolved: NUTS for targets with gradients, with a dense metric up to 100 dimensions, else slices.
std::string explorer_name(const SampleOptions& options, const Target& target);
/// @throws Error{usage} for what the target cannot do: gradients, a prior that is improper or cannot be sampled
TemperingOptions tempering_options(const SampleOptions& options, const Target& target);
/// Whether the integral along the ladder is an evidence: of a proper prior, from a reference that is normalised.
bool tells_evidence(const TemperingOptions& options, const Target& target);

}  // namespace tempera::drivers
