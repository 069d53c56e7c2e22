#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "distributed/tempering/cp_posterior.hpp"
#include "drivers/commands/sample/sample_options.hpp"

namespace tempera::drivers {

/// The density that a run samples, and the ranks that evaluate it.
struct SampleProblem {
  RankGroups groups;
  std::unique_ptr<Target> built_in;
  std::optional<CpPosterior> posterior;
  std::vector<Index> shape;  ///< of the tensor
  std::optional<double> exact_log_evidence;
  std::filesystem::path input;  ///< of data or tensor; empty: none
  std::string sha256;           ///< of that; "" without

  Target& target() const { return built_in ? *built_in : *posterior->target; }
};

/// Reads data on all ranks. @param input_sha256  what the input has to be; empty: anything
/// @throws Error Collective.
SampleProblem make_problem(const Communicator& world, const SampleOptions& options, const std::string& input_sha256,
                           int ranks_on_node);

/// Looks for a point of positive density, from where the prior says (around 0 if it cannot be drawn from), and at the
/// gradient there if the explorer wants one. Of one rank: not for a target that several evaluate, unless they serve it.
/// @throws Error{numerical} if there is none, or if a density is +inf; Error{input} for a wrong gradient
void check_density(const Target& target, const SampleOptions& options, std::uint64_t seed);

/// θ entry by entry: "beta[2,1]", indices from 1; a scalar is its name.
std::vector<std::string> parameter_names(const Target& target);

}  // namespace tempera::drivers
