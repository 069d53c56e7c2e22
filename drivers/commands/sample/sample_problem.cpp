#include "drivers/commands/sample/sample_problem.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "core/base/text.hpp"
#include "core/io/tensor_file.hpp"
#include "core/sampling/targets/targets.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/tensor/load.hpp"

namespace tempera::drivers {

namespace {

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
    data = problem.input = options.data;
    problem.sha256 = sha256_of_file(world, problem.input);
    check_sha256(problem, input_sha256);
  }
  problem.built_in = make_target(options.target, options.settings, data);
  problem.exact_log_evidence = exact_log_evidence(options.target, options.settings, data);
  return problem;
}

std::vector<std::string> parameter_names(const Target& target) {
  std::vector<std::string> names;
  for (const ParameterBlock& block : target.parameters()) {
    if (block.shape.empty()) {
      names.push_back(block.name);
      continue;
    }
    std::vector<Index> index(block.shape.size(), 1);
    for (bool more = true; more;) {
      names.push_back(fmt::format("{}[{}]", block.name, fmt::join(index, ",")));
      more = false;
      for (std::size_t mode = index.size(); mode-- > 0 && !more;) {
        more = ++index[mode] <= block.shape[mode];
        if (!more) index[mode] = 1;
      }
    }
  }
  return names;
}

}  // namespace tempera::drivers
