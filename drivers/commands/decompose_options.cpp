#include "drivers/commands/decompose_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/io/tensor_file.hpp"
#include "drivers/time_limit.hpp"

namespace tempera::drivers {

namespace {

constexpr const char* kGridHint =
    "give one extent a mode that multiply to the number of MPI ranks, such as 2x2x1, or auto";

/// The whole text as a number ≥ 0, or nothing.
std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

void declare_fit(OptionSchema& schema, DecomposeOptions& options) {
  schema.group("Model");
  schema.choice("method", options.method, {"cp"}).help("kind of decomposition");
  schema.integer("rank", options.rank).minimum(1).help("number of components");
  schema.choice("loss", options.loss, {"gaussian", "poisson"})
      .help("what the fit minimises: squared errors, or the deviance of counts (then the model is nonnegative)");
  schema.texts("constraint", options.constraints)
      .metavar("NAME[:X][@MODES]")
      .proposals(constraint_examples())
      .help(
          "nonnegative, l1:X, ridge:X, smooth:X, row-simplex, column-simplex, orthogonal, unimodal, monotone, box:X,Y, "
          "norm; "
          "for all modes or for those listed (l1:0.1@0,2); `tempera help constraints` explains them");
  schema.group("Data");
  schema.choice("missing", options.missing, {"zero", "unobserved"})
      .help(
          "what an absent entry of a sparse tensor means; unobserved: the fit is to the stored cells alone, and NaN "
          "cells "
          "of dense data are missing too (`tempera help missing`)");
  schema.integer("index-base", options.index_base)
      .minimum(0)
      .maximum(1)
      .help("number of the first index in a text tensor");
  schema.integers("dims", options.dims)
      .absent("auto")
      .minimum(1)
      .metavar("N,N,…")
      .help("sizes of the modes, at least the largest indices");
  schema.group("Fit");
  schema.integer("iterations", options.iterations).minimum(1).help("most sweeps of one start");
  schema.real("tolerance", options.tolerance)
      .minimum(0)
      .help(
          "stop when the fit (poisson: deviance per count) changes by less in two successive sweeps; 0 runs all "
          "sweeps");
  schema.text("init", options.init)
      .metavar("random|nvecs|FILE")
      .proposals({"random", "nvecs"})
      .names(PathKind::file)
      .help(
          "where the first start begins: random values, leading singular vectors of the data, or the factors.h5 of "
          "another run");
  schema.integer("restarts", options.restarts)
      .minimum(1)
      .help("starts, after the first from random values; the best is kept");
  schema.choice("solver", options.solver, {"auto", "hals", "bpp", "admm", "mu", "newton"})
      .help(
          "update of the rows: hals or bpp (exact) where nonnegative, admm under any constraint; with --loss poisson "
          "mu "
          "(multiplicative) or newton");
  schema.flag("extrapolation", options.extrapolation)
      .help("begin sweeps beyond the factors, to leave swamps; a sweep that does not pay is undone");
  schema.text("damping", options.damping)
      .metavar("X|auto")
      .proposals({"auto"})
      .help(
          "hold every update back by X times the mean diagonal of its normal equations; auto: only in swamps, see "
          "`tempera help health`");
  schema.real("holdout", options.holdout)
      .minimum(0)
      .maximum(0.9)
      .help("share of the entries kept apart to test the model on; of sparse data as many zeros too");
  schema.group("Parallel");
  schema.integer("start-groups", options.start_groups)
      .absent("auto")
      .minimum(1)
      .help("groups of MPI ranks that make the --restarts at the same time, each with the whole tensor");
  schema.text("grid", options.grid)
      .metavar("PxQx…")
      .proposals({"auto"})
      .help("process grid, one extent a mode, or auto");
}

}  // namespace

void declare(OptionSchema& schema, DecomposeOptions& options) {
  schema.example(
      "mpirun -n 4 tempera decompose ratings.tns.gz --rank 16 --constraint nonnegative --output runs/ratings");
  schema.positional("input", OptionKind::text, options.input)
      .names(PathKind::file)
      .help("tensor to factor: .tns, .tns.gz, .npy, .h5 (FILE.h5:/PATH for another dataset than /tensor)")
      .required();
  declare_fit(schema, options);
  declare_common_options(schema, options.common);
}

void declare_for_resume(OptionSchema& schema, DecomposeOptions& options) {
  schema.group("Data");
  schema.text("input", options.input)
      .names(PathKind::file)
      .help("where the tensor is now; its content has to be the same");
  declare_fit(schema, options);
  declare_resume_options(schema, options.common);
}

void complete(const OptionSchema& schema, DecomposeOptions& options) {
  check_constraints(options.constraints);
  check_loss(options);
  TensorFile::parse(options.input);
  parse_checkpoint_every(schema, options.common);
  check_time_limit(schema, options.common);
}

std::vector<int> parse_grid(const std::string& text, int ranks) {
  if (text == "auto") return {};
  std::vector<int> extents;
  double product = 1;
  for (std::string_view part : split(text, 'x')) {
    const auto extent = whole_number(part);
    if (!extent || *extent < 1)
      throw Error(Category::usage, "--grid", fmt::format("'{}' is not a grid", text), kGridHint);
    extents.push_back(*extent);
    product *= *extent;
  }
  if (product != ranks)
    throw Error(Category::usage, "--grid",
                fmt::format("grid {} is for {:.0f} MPI ranks, but {} run", text, product, ranks), kGridHint);
  return extents;
}

Solver solver_named(const std::string& name) {
  if (name == "hals") return Solver::hals;
  if (name == "bpp") return Solver::bpp;
  return name == "admm" ? Solver::admm : Solver::automatic;
}

void check_loss(const DecomposeOptions& options) {
  const bool poisson = options.loss == "poisson";
  const bool for_counts = options.solver == "mu" || options.solver == "newton";
  if (options.solver != "auto" && for_counts != poisson)
    throw Error(Category::usage, "--solver",
                fmt::format("'{}' is for --loss {}", options.solver, for_counts ? "poisson" : "gaussian"),
                poisson ? "counts are solved by mu or newton" : "leave it out, or add --loss poisson");
  const auto damping = parse_damping(options.damping);
  if (!poisson) return;
  if (damping != 0.0) throw Error(Category::usage, "--damping", "is for --loss gaussian", "leave it out");
  if (options.extrapolation) throw Error(Category::usage, "--extrapolation", "is for --loss gaussian", "leave it out");
  for (const std::string& text : options.constraints)
    if (text.substr(0, text.find_first_of(":@")) != "nonnegative")
      throw Error(Category::usage, "--constraint", fmt::format("'{}' does not go with --loss poisson", text),
                  "its updates keep the factors nonnegative and nothing else: other constraints need --loss gaussian");
}

std::optional<double> parse_damping(const std::string& text) {
  if (text == "auto") return std::nullopt;
  double value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0) || !std::isfinite(value))
    throw Error(Category::usage, "--damping", fmt::format("'{}' is no damping", text),
                "give a number from 0 up, such as 0.01, or auto");
  return value;
}

CountSolver parse_count_solver(const std::string& text) {
  return text == "mu" ? CountSolver::multiplicative : text == "newton" ? CountSolver::newton : CountSolver::automatic;
}

void check_constraints(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) parse_constraint(text);
}

LoadOptions load_options(const DecomposeOptions& options, std::vector<int> grid) {
  LoadOptions load;
  load.index_base = options.index_base;
  if (options.dims) load.dims = *options.dims;
  load.distribution.grid = std::move(grid);
  load.distribution.threads = options.common.threads;
  load.distribution.missing = options.missing == "unobserved" ? Missing::unobserved : Missing::zero;
  load.distribution.holdout = {options.holdout, static_cast<std::uint64_t>(options.common.seed)};
  return load;
}

CpOptions cp_options(const DecomposeOptions& options, int order) {
  CpOptions fit;
  fit.rank = options.rank;
  fit.constraints = parse_constraints(options.constraints, order);
  fit.iterations = options.iterations;
  fit.tolerance = options.tolerance;
  fit.restarts = options.restarts;
  fit.seed = static_cast<std::uint64_t>(options.common.seed);
  fit.solver = solver_named(options.solver);
  fit.count_solver = parse_count_solver(options.solver);
  fit.extrapolation = options.extrapolation;
  const auto damping = parse_damping(options.damping);
  fit.damping = damping.value_or(0);
  fit.damping_in_swamps = !damping;
  return fit;
}

}  // namespace tempera::drivers
