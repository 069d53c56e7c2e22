#include "drivers/commands/sample/sample_options.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/targets/targets.hpp"
#include "drivers/time_limit.hpp"

namespace tempera::drivers {

namespace {

constexpr int kMostRounds = 40;
constexpr Index kDenseUpTo = 100;  // dimensions: a dense metric learns d²/2 numbers
constexpr int kRoundsUntil = 20;   // where a criterion ends the run, at most

template <class Description>
std::vector<std::string> names_of(const std::vector<Description>& descriptions) {
  std::vector<std::string> names;
  for (const Description& description : descriptions) names.push_back(description.name);
  return names;
}

std::vector<std::string> explorer_names() {
  std::vector<std::string> names = names_of(describe_explorers());
  names.insert(names.begin(), "auto");
  return names;
}

void declare_target(OptionSchema& schema, SampleOptions& options) {
  schema.group("Target");
  schema.text("target", options.target)
      .metavar("NAME")
      .proposals(names_of(describe_targets()))
      .help("built-in density; `tempera help targets` lists them with their settings");
  schema.texts("set", options.settings).metavar("KEY=VALUE").help("a setting of the built-in target");
  schema.path("data", options.data).metavar("FILE.json").help("data of a built-in target in place of its own");
  schema.text("tensor", options.tensor)
      .metavar("INPUT")
      .names(PathKind::file)
      .help("tensor whose CP factors are drawn: .tns, .tns.gz, .npy, .h5, as of `tempera decompose`");
  schema.integer("rank", options.rank).minimum(1).help("number of components of the factors");
  schema.choice("likelihood", options.likelihood, {"gaussian", "poisson"})
      .help("of the tensor's cells; poisson: counts, nonnegative factors");
  schema.real("noise-sd", options.noise_sd)
      .above(0)
      .absent("drawn")
      .help("standard deviation of Gaussian cells; drawn: a parameter as well");
  schema.real("prior-scale", options.prior_scale)
      .above(0)
      .absent("auto")
      .help(
          "standard deviation of normal entries of the factors; auto: model values have the mean square of the cells");
  schema.real("prior-shape", options.prior_shape).minimum(0.1).help("shape of gamma entries (--likelihood poisson)");
  schema.real("prior-rate", options.prior_rate)
      .above(0)
      .absent("auto")
      .help("their rate; auto: model values have the mean of the cells");
  schema.choice("missing", options.missing, {"zero", "unobserved"})
      .help("what an absent entry of a sparse tensor means");
  schema.integer("index-base", options.index_base).minimum(0).maximum(1).help("first index in a text file");
  schema.real("holdout", options.holdout)
      .minimum(0)
      .below(1)
      .help("share of the tensor's cells kept apart, to be predicted by the draws");
}

void declare_sampler(OptionSchema& schema, SampleOptions& options) {
  schema.group("Sampler");
  schema.choice("algorithm", options.algorithm, {"pt", "nuts"})
      .help("pt: parallel tempering; nuts: short for --replicas 1 --copies 4 --explorer nuts");
  schema.integer("replicas", options.replicas)
      .minimum(1)
      .absent("auto")
      .help("temperatures of a ladder; auto: 8 at first, then what the barrier asks for; 1: a plain Markov chain");
  schema.integer("copies", options.copies).minimum(1).help("independent ladders; whatever the number of MPI ranks");
  schema.text("explorer", options.explorer)
      .metavar("NAME[:SETTINGS]")
      .proposals(explorer_names())
      .help(
          "moves between swaps; `tempera help explorers` lists them; A+B: one after the other; auto: nuts (dense up to "
          "100 dimensions) if the density has a gradient, else slice");
  schema.choice("reference", options.reference, {"auto", "prior", "gaussian", "variational", "two-leg"})
      .help(
          "where a ladder begins; prior; gaussian or variational: a normal density fitted after each round; two-leg: "
          "both; auto: the prior if it can be sampled, else gaussian");
  schema.integer("rounds", options.rounds)
      .minimum(1)
      .maximum(kMostRounds)
      .help("round k has 2^k scans; draws and evidence are those of the last one; with --until-... at most, then 20");
  schema.real("until-rhat", options.until_rhat)
      .above(1)
      .absent("none")
      .help("end after the first round in which no R-hat is larger");
  schema.real("until-ess", options.until_ess)
      .above(0)
      .absent("none")
      .help("end after the first round in which no effective sample size, bulk or tail, is smaller");
  schema.integer("ranks-per-replica", options.ranks_per_replica)
      .minimum(1)
      .help("MPI ranks that share the data of a tensor and evaluate its density together");
  schema.integer("thin", options.thin).minimum(1).help("every so many draws is kept");
  schema.choice("keep", options.keep, {"target", "all"}).help("draws of the target alone, or of all temperatures");
}

Error usage(const std::string& option, const std::string& what, const std::string& hint) {
  return {Category::usage, option, what, hint};
}

bool given(const OptionSchema& schema, const char* name) {
  return !schema.find(name)->set_by().empty();
}

}  // namespace

void declare(OptionSchema& schema, SampleOptions& options) {
  schema.example("mpirun -n 4 tempera sample --target mixture --set modes=20 --copies 2 --output runs/modes");
  declare_target(schema, options);
  declare_sampler(schema, options);
  declare_common_options(schema, options.common);
}

void declare_for_resume(OptionSchema& schema, SampleOptions& options) {
  declare_target(schema, options);
  declare_sampler(schema, options);
  declare_resume_options(schema, options.common);
}

void complete(const OptionSchema& schema, SampleOptions& options) {
  if (options.target.empty() == options.tensor.empty())
    throw usage("--target", options.target.empty() ? "nothing to sample" : "a target and a tensor are given",
                "give --target NAME (`tempera help targets` lists them) or --tensor INPUT --rank R");
  if (options.of_tensor()) {
    if (!options.data.empty()) throw usage("--data", "is for built-in targets", "leave it out");
    if (!options.settings.empty()) throw usage("--set", "is for built-in targets", "leave it out");
    const bool counts = options.likelihood == "poisson";
    for (const auto& [name, of_counts] :
         {std::pair{"noise-sd", false}, {"prior-scale", false}, {"prior-shape", true}, {"prior-rate", true}})
      if (counts != of_counts && given(schema, name))
        throw usage(std::string("--") + name, fmt::format("is for --likelihood {}", of_counts ? "poisson" : "gaussian"),
                    "leave it out");
  } else {
    for (const char* name : {"rank", "likelihood", "noise-sd", "prior-scale", "prior-shape", "prior-rate", "missing",
                             "index-base", "holdout"})
      if (schema.command() == "sample" && given(schema, name))
        throw usage(std::string("--") + name, "is for --tensor", "leave it out");
    if (options.ranks_per_replica > 1)
      throw usage("--ranks-per-replica", "a built-in target is evaluated by one rank",
                  "leave it out: replicas are spread over the ranks anyway");
  }
  if (options.algorithm == "nuts") {
    if (!given(schema, "replicas")) options.replicas = 1;
    if (!given(schema, "copies")) options.copies = 4;
    if (!given(schema, "explorer")) options.explorer = "nuts";
  }
  if (options.until() && !given(schema, "rounds")) options.rounds = kRoundsUntil;
  if (options.reference == "two-leg" && options.replicas && *options.replicas < 4)
    throw usage("--replicas", fmt::format("{} are too few for two legs", *options.replicas),
                "give at least 4, or auto");
  if (options.explorer != "auto") make_explorer(options.explorer);
  parse_checkpoint_every(schema, options.common);
  check_time_limit(schema, options.common);
}

std::string explorer_name(const SampleOptions& options, const Target& target) {
  if (options.explorer != "auto") return options.explorer;
  if (!target.has_gradient()) return "slice";
  return target.dimension() <= kDenseUpTo ? "nuts:dense" : "nuts";
}

TemperingOptions tempering_options(const SampleOptions& options, const Target& target) {
  TemperingOptions tempering;
  tempering.chains = options.replicas.value_or(0);
  tempering.ladders = options.copies;
  tempering.rounds = options.rounds;
  tempering.seed = static_cast<std::uint64_t>(options.common.seed);
  tempering.thin = options.thin;
  tempering.keep_all = options.keep == "all";
  tempering.threads = options.ranks_per_replica > 1 || options.of_tensor() ? 1 : options.common.threads;
  const auto improper = target.improper_parameter();
  const bool prior_can_serve = target.samples_reference() && !improper;
  if (options.reference == "two-leg") {
    tempering.reference = TemperingReference::two_legs;
  } else if (options.reference == "prior" || (options.reference == "auto" && prior_can_serve)) {
    tempering.reference = TemperingReference::prior;
  } else {
    tempering.reference = TemperingReference::gaussian;
  }
  if (tempering.reference != TemperingReference::gaussian && improper)
    throw usage("--reference", fmt::format("the prior of {} is improper: no ladder can begin there", *improper),
                "use --reference gaussian");
  if (tempering.reference == TemperingReference::prior && tempering.chains == 1 && !target.samples_reference())
    throw usage("--replicas", "one replica needs a prior that can be sampled, or it has nowhere to begin",
                "use --reference gaussian, or more replicas");
  if (make_explorer(explorer_name(options, target))->needs_gradient() && !target.has_gradient())
    throw usage("--explorer",
                fmt::format("{} needs gradients, which the target {} has not", options.explorer, options.target),
                "discrete and non-smooth densities are sampled by slice or rwm");
  return tempering;
}

bool tells_evidence(const TemperingOptions& options, const Target& target) {
  // The integral of an improper prior times the likelihood says nothing, wherever the path to it began.
  if (target.improper_parameter()) return false;
  return options.reference != TemperingReference::prior || target.normalised_reference();
}

}  // namespace tempera::drivers
