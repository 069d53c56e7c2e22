#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/option_schema.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/tensor/load.hpp"
#include "drivers/common_options.hpp"

namespace tempera::drivers {

/// What `tempera decompose` can be told; see declare for the meaning of each.
struct DecomposeOptions {
  std::string input;
  std::string method = "cp";
  std::int64_t rank = 16;
  std::string loss = "gaussian";
  std::vector<std::string> constraints;
  std::string solver = "auto";
  bool extrapolation = false;
  std::string damping = "0";
  std::string missing = "zero";
  std::int64_t index_base = 1;
  std::optional<std::vector<std::int64_t>> dims;
  int iterations = 100;
  double tolerance = 1e-6;
  std::string init = "random";
  int restarts = 1;
  std::optional<std::int64_t> start_groups;
  double holdout = 0;
  std::string grid = "auto";
  CommonOptions common;
};

void declare(OptionSchema& schema, DecomposeOptions& options);
/// The same for a run that goes on: the input is an option there, and what only a new run has is missing.
void declare_for_resume(OptionSchema& schema, DecomposeOptions& options);

/// Checks what needs no data. @throws Error{usage}
void complete(const OptionSchema& schema, DecomposeOptions& options);

/// "auto" (empty result) or "2x2x1". @throws Error{usage} for anything else, and for a product other than `ranks`
std::vector<int> parse_grid(const std::string& text, int ranks);

/// A number from 0 up, or nothing for "auto". @throws Error{usage} for anything else
std::optional<double> parse_damping(const std::string& text);

/// How the input is read and spread, on a grid of these extents (empty: chosen).
LoadOptions load_options(const DecomposeOptions& options, std::vector<int> grid = {});
/// What is fitted to a tensor of this order, but for where it begins. @throws Error{usage}
CpOptions cp_options(const DecomposeOptions& options, int order);

/// "auto", "hals", "bpp" or "admm".
Solver solver_named(const std::string& name);

/// Refuses constraints that no tensor could have: unknown names, impossible parameters.
/// @throws Error{usage}
void check_constraints(const std::vector<std::string>& texts);

/// @throws Error{usage} for options that the loss does not go with
void check_loss(const DecomposeOptions& options);
CountSolver parse_count_solver(const std::string& text);

}  // namespace tempera::drivers
