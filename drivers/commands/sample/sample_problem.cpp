#include "drivers/commands/sample/sample_problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "core/base/random_stream.hpp"
#include "core/base/text.hpp"
#include "core/io/tensor_file.hpp"
#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/gradient_check.hpp"
#include "core/sampling/targets/targets.hpp"
#include "distributed/als/cp_apr.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/tensor/load.hpp"

namespace tempera::drivers {

namespace {

constexpr int kStarts = 100;  // points at which a density is looked for

void check_sha256(const SampleProblem& problem, const std::string& wanted) {
  if (!wanted.empty() && problem.sha256 != wanted)
    throw Error(
        Category::input, problem.input.string(),
        fmt::format("is not the input this run began with: its SHA-256 is {}, it was {}", problem.sha256, wanted),
        "restore the file, or name where it is now with --data or --tensor");
}

void load_posterior(const SampleOptions& options, int ranks_on_node, SampleProblem& problem) {
  LoadOptions load;
  load.index_base = options.index_base;
  load.distribution.missing = options.missing == "unobserved" ? Missing::unobserved : Missing::zero;
  load.distribution.holdout = {options.holdout, static_cast<std::uint64_t>(options.common.seed)};
  const auto tensor = load_tensor(problem.groups.group, options.tensor, load);
  problem.shape = tensor->shape();
  if (options.likelihood == "poisson")
    count_total(*tensor, TensorFile::parse(options.tensor).is_text() ? options.index_base : 0, options.tensor,
                "--likelihood");
  CpModelOptions model;
  model.rank = options.rank;
  model.likelihood = options.likelihood == "poisson" ? CpLikelihood::poisson : CpLikelihood::gaussian;
  model.noise_sd = options.noise_sd;
  model.prior_scale = options.prior_scale;
  model.prior_shape = options.prior_shape;
  model.prior_rate = options.prior_rate;
  model.threads = options.common.threads;
  const CpPosteriorMemory memory = cp_posterior_memory(*tensor, model.rank);
  const double bytes = memory.data + std::max(memory.building, 2 * memory.evaluation);
  const double available = available_memory() / ranks_on_node;
  if (bytes > available)
    throw Error(Category::environment, options.tensor,
                fmt::format("the posterior of its factors needs {} on an MPI rank, and {} are there",
                            human_bytes(bytes), human_bytes(available)),
                "share it by a larger --ranks-per-replica, on more nodes, or lower --rank");
  problem.posterior = cp_posterior(*tensor, model);
}

}  // namespace

SampleProblem make_problem(const Communicator& world, const SampleOptions& options, const std::string& input_sha256,
                           int ranks_on_node) {
  SampleProblem problem{split_into_groups(world, options.ranks_per_replica), nullptr, {}, {}, {}, {}, {}};
  if (options.of_tensor()) {
    problem.input = TensorFile::parse(options.tensor).path;
    problem.sha256 = sha256_of_file(world, problem.input);
    check_sha256(problem, input_sha256);
    collectively(world, [&] { load_posterior(options, ranks_on_node, problem); });
    return problem;
  }
  DataFile data;
  if (!options.data.empty()) {
    if (std::filesystem::is_directory(options.data))
      throw Error(Category::input, options.data.string(), "is a directory, not a file", "name a JSON file inside it");
    data = problem.input = options.data;
    problem.sha256 = sha256_of_file(world, problem.input);
    check_sha256(problem, input_sha256);
  }
  problem.built_in = make_target(options.target, options.settings, data);
  problem.exact_log_evidence = exact_log_evidence(options.target, options.settings, data);
  return problem;
}

void check_density(const Target& target, const SampleOptions& options, std::uint64_t seed) {
  const auto own = target.clone();
  const bool drawn = own->samples_reference();
  std::vector<double> u(static_cast<std::size_t>(own->dimension()), 0.0);
  int undefined = 0;
  for (int attempt = 0; attempt < kStarts; ++attempt) {
    RandomStream stream(seed, "pt-density-check", {attempt});
    if (drawn)
      own->sample_reference(stream, u);
    else
      for (double& value : u) value = 2 * stream.uniform() - 1;
    const LogDensity density = own->evaluate(u);
    const double log_density = density.reference + density.likelihood;
    if (density.reference == INFINITY || density.likelihood == INFINITY)
      throw Error(Category::numerical, options.sampled(), "the log density is +inf",
                  "a density has to be finite: check the model for a division by zero");
    undefined += std::isnan(log_density) ? 1 : 0;
    if (!std::isfinite(log_density)) continue;
    if (make_explorer(explorer_name(options, target))->needs_gradient()) check_gradient(*own, u);
    return;
  }
  const std::string where = fmt::format("at {} points {}", kStarts, drawn ? "drawn from the prior" : "around 0");
  if (undefined == kStarts)
    throw Error(Category::numerical, options.sampled(), "the density is NaN " + where,
                "look for logarithms of negative numbers and for 0/0 in the model");
  throw Error(Category::numerical, options.sampled(), "the density is zero " + where,
              "do the data contradict the prior, or are numbers so large that the density vanishes?");
}

std::vector<std::string> parameter_names(const Target& target) {
  std::vector<std::string> names;
  for (const ParameterBlock& block : target.parameters()) {
    const Index entries = std::accumulate(block.shape.begin(), block.shape.end(), Index{1}, std::multiplies<>());
    for (Index entry = 0; entry < entries; ++entry) names.push_back(entry_name(block, entry));
  }
  return names;
}

}  // namespace tempera::drivers
