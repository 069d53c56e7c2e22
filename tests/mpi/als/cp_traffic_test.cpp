#include "distributed/als/cp_traffic.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "distributed/als/cp_apr.hpp"
#include "distributed/tensor/planned_tensor.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/mpi.hpp"
#include "tests/support/skewed.hpp"
#include "tests/support/traffic.hpp"

namespace tempera {

namespace {

using Regions = std::map<std::string, Traffic>;

/// A fit and what it really sends on this rank, region by region.
struct Case {
  std::string name;
  CpOptions options;
  bool counts = false;
  DistributionOptions distribution;
};

std::vector<Case> cases(int order) {
  std::vector<Case> all;
  const auto add = [&](const std::string& name, const std::vector<std::string>& constraints) -> Case& {
    Case one;
    one.name = name;
    one.options.rank = 3;
    one.options.iterations = 4;
    one.options.tolerance = 0;
    one.options.constraints = parse_constraints(constraints, order);
    return all.emplace_back(one);
  };
  add("plain", {});
  add("rank with padding and long sums", {}).options.rank = 37;
  add("nonnegative, two starts", {"nonnegative"}).options.restarts = 2;
  add("penalised", {"l1:0.01", "ridge:0.1"});
  add("boxes and penalties", {"box:0,2", "ridge:0.1"});
  add("first mode of fixed scale", {"row-simplex@0"});
  add("orthogonal", {"orthogonal@0"});
  add("all orthogonal", {"orthogonal"});
  add("rows that depend on each other", {"monotone@1"});
  add("smooth", {"smooth:0.1@0", "ridge:0.1@1", "ridge:0.1@2"});
  add("extrapolated", {}).options.extrapolation = true;
  add("extrapolated and nonnegative", {"nonnegative"}).options.extrapolation = true;
  add("held out", {}).distribution.holdout = {0.1, 3};
  add("observed", {}).distribution.missing = Missing::unobserved;
  for (const CountSolver solver : {CountSolver::newton, CountSolver::multiplicative}) {
    Case& counts = add("counts", {});
    counts.counts = true;
    counts.options.count_solver = solver;
  }
  Case& observed = add("observed counts", {});
  observed.counts = true;
  observed.distribution.missing = Missing::unobserved;
  Case& held = add("counts held out", {});
  held.counts = true;
  held.distribution.holdout = {0.1, 3};
  return all;
}

/// What the run says of how often things happened.
struct Happened {
  SweepEvents events;
  int since_undone = 0;
  bool stands_still = false;

  void note(const CpStep& step, bool extrapolation, bool watches) {
    ++events.sweeps;
    if (step.iteration == 1) ++events.starts;
    if (step.iteration == 1) since_undone = 0;
    if (step.iteration == 1) stands_still = false;
    if (watches && stands_still) ++events.watched;
    const bool extrapolated = extrapolation && since_undone > 0;
    if (extrapolated) ++events.extrapolated;
    const bool undone = extrapolated && step.change == 0;
    since_undone = undone ? 0 : since_undone + 1;
    if (!undone) stands_still = std::abs(step.change) < kStandstill;
  }
};

Regions measured(const Communicator& world, const DistributedTensor& tensor, const Case& one, SweepEvents& events) {
  Happened happened;
  happened.events.sweeps = 0;
  CpObserver observer;
  const bool watches = !one.counts && !tensor.only_observed();
  observer.progress = [&](const CpStep& step) { happened.note(step, one.options.extrapolation, watches); };
  if (one.counts)
    cp_apr(tensor, one.options, observer);
  else
    cp_als(tensor, one.options, observer);
  Regions regions;
  const std::string method = one.counts ? "cp-apr/" : "cp-als/";
  std::int64_t steps = 0;
  for (const RegionTable::Row& row : world.regions().rows()) {
    if (!row.path.starts_with(method + "sweep")) continue;
    std::string path = row.path.substr(method.size());
    if (path.ends_with("/residual")) happened.events.summed_fits += row.calls;
    if (path.ends_with("/admm")) steps += row.calls;
    // A kernel that has the rows of other ranks first begins their exchange.
    if (path == "sweep/mttkrp/reduce rows") path = "sweep/reduce rows";
    if (row.messages > 0) regions[path] += {row.messages, row.bytes};
  }
  happened.events.column_steps.assign(tensor.shape().size(), steps);
  events = happened.events;
  return regions;
}

Regions predicted(const PlannedTensor& planned, const PlannedLayout& layout, const Case& one, const SweepEvents& events,
                  int rank) {
  const SweepTensor tensor{planned.shape(), planned.stored_cells(), planned.only_observed(), planned.holdout()};
  const auto constraints = sweep_constraints(tensor, one.options, one.counts);
  Regions regions;
  for (const SweepOperation& operation : sweep_operations(tensor, one.options, one.counts, events)) {
    const auto mode = static_cast<std::size_t>(operation.mode);
    const auto held = held_rows(layout.modes[mode], constraints[mode].fills_empty_rows());
    const Traffic sent = traffic_of(operation, layout.modes[mode], held, rank, layout.ranks);
    if (sent.messages > 0) regions[operation.region] += sent;
  }
  return regions;
}

/// Positive whole numbers, so that models of counts can be fitted too.
SparseTensor counted(SparseTensor tensor) {
  SparseTensor result(tensor.shape());
  std::vector<Index> cell(tensor.shape().size());
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    for (std::size_t m = 0; m < cell.size(); ++m) cell[m] = tensor.indices(static_cast<int>(m))[k];
    result.append(cell, 1 + static_cast<double>((cell[0] * 7 + cell[1] * 3) % 5));
  }
  return result;
}

void expect_exact(const SparseTensor& tensor, const Case& one) {
  const Communicator world(MPI_COMM_WORLD);
  const auto spread = distribute(world, tensor.shape(), test::dealt(world, tensor), one.distribution);
  SweepEvents events;
  const Regions sent = measured(world, *spread, one, events);
  TensorContent content{tensor.shape(), false, {}};
  content.blocks.push_back(tensor);
  PlannedTensor planned(Communicator::self(), std::move(content), one.distribution);
  EXPECT_EQ(planned.only_observed(), spread->only_observed());
  EXPECT_EQ(planned.stored_cells(), static_cast<double>(spread->stored_cells()));
  const PlannedLayout layout = planned.layout(world.size());
  if (world.rank() >= layout.ranks) return;
  EXPECT_EQ(events.sweeps, one.options.restarts * one.options.iterations);
  EXPECT_EQ(sent.empty(), layout.ranks == 1);
  EXPECT_EQ(predicted(planned, layout, one, events, world.rank()), sent);
}

TEST(CpTraffic, OfSparseTensorsIsPredictedToTheByte) {
  const std::vector<SparseTensor> tensors{counted(test::skewed({300, 200, 50}, 4000, 1, false)),
                                          counted(test::with_giant_slices({60, 50, 40}, 3000, 0.6)),
                                          counted(test::random_sparse({5, 4, 3}, 20, 1))};
  for (const SparseTensor& tensor : tensors)
    for (const Case& one : cases(3)) {
      SCOPED_TRACE(one.name + ", first mode " + std::to_string(tensor.shape().front()));
      // Orthogonal columns and others need as many rows as columns.
      if (tensor.shape().front() == 5 && (one.options.rank > 3 || one.name.find("orthogonal") != std::string::npos))
        continue;
      expect_exact(tensor, one);
    }
}

TEST(CpTraffic, OfDenseTensorsIsPredictedToTheByte) {
  for (const std::vector<Index>& shape : {std::vector<Index>{17, 13, 11}, {6, 5, 4}}) {
    DenseTensor tensor(shape);
    double next = 0;
    for (double& value : tensor.values()) value = std::floor(3 + 2 * std::sin(next += 1));
    for (const Case& one : cases(3)) {
      if (one.options.rank > shape.front() || one.distribution.missing == Missing::unobserved) continue;
      SCOPED_TRACE(one.name);
      const Communicator world(MPI_COMM_WORLD);
      const auto spread = test::distributed(world, tensor, {}, one.distribution.holdout);
      SweepEvents events;
      const Regions sent = measured(world, *spread, one, events);
      PlannedTensor planned(Communicator::self(), {shape, true, {}}, one.distribution);
      const PlannedLayout layout = planned.layout(world.size());
      EXPECT_EQ(layout.grid, spread->grid().extents());
      if (world.rank() >= layout.ranks) continue;
      EXPECT_EQ(predicted(planned, layout, one, events, world.rank()), sent);
    }
  }
}

}  // namespace
}  // namespace tempera
