#include "drivers/commands/plan/scaling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/text.hpp"
#include "distributed/tensor/nonzero_partition.hpp"

namespace tempera::drivers {

namespace {

constexpr int kBarCells = 20;
constexpr double kUsed = 0.5;  // efficiency from which on ranks are worth their cores

ScalingPoint point_of(const DecomposeEstimate& estimate, double alone) {
  ScalingPoint point;
  point.ranks = estimate.asked;
  point.seconds = estimate.time.total();
  point.speedup = alone / point.seconds;
  point.efficiency = point.speedup / point.ranks;
  point.memory = estimate.memory.total();
  point.share = estimate.time.share();
  return point;
}

/// Seconds that a rank communicates in a sweep on the best grid, if nonzeros fell at random (of dense tensors with all rows of
/// its block): a latency a message, rows both ways, and rounds of agreement.
double random_seconds(const std::vector<Index>& shape, bool dense, double nonzeros, int ranks, double row_bytes,
                      const Placement& placement) {
  if (ranks == 1) return 0;
  const double rounds = 3 * static_cast<double>(shape.size()) * std::ceil(std::log2(ranks));
  double best = std::numeric_limits<double>::infinity();
  for (const std::vector<int>& grid : grid_candidates(ranks, shape)) {
    double rows = 0, messages = rounds;
    for (std::size_t mode = 0; mode < shape.size(); ++mode) {
      const double block = static_cast<double>(shape[mode]) / grid[mode];
      const double touched = dense ? block : block * -std::expm1(-nonzeros / ranks / block);
      const double layer = static_cast<double>(ranks) / grid[mode];
      rows += touched * (1 - 1 / layer);
      messages += 2 * std::min(layer - 1, touched);
    }
    best = std::min(best, messages * placement.latency + 2 * rows * row_bytes / placement.bandwidth);
  }
  return std::isfinite(best) ? best : 0;
}

}  // namespace

std::vector<int> ranks_of_table(int ranks) {
  std::vector<int> table;
  for (int next = 1; next < ranks; next *= 2) table.push_back(next);
  table.push_back(ranks);
  return table;
}

std::vector<ScalingPoint> strong_scaling(DecomposeEstimates& estimates, const DecomposeEstimate& last) {
  std::vector<ScalingPoint> points;
  double alone = last.time.total();
  for (const int ranks : ranks_of_table(last.asked)) {
    if (ranks == last.asked) {
      points.push_back(point_of(last, alone));
      continue;
    }
    const DecomposeEstimate estimate = estimates.quick(ranks);
    if (ranks == 1) alone = estimate.time.total();
    points.push_back(point_of(estimate, alone));
  }
  return points;
}

std::vector<ScalingPoint> weak_scaling(const DecomposeEstimates& estimates, const DecomposeEstimate& last) {
  const SweepTensor& tensor = estimates.sweep_tensor();
  const double order = static_cast<double>(tensor.shape.size());
  const double row_bytes = 8 * static_cast<double>(estimates.options().rank);
  const auto random_at = [&](int ranks) {
    std::vector<Index> shape;
    for (const Index size : tensor.shape) {
      const double grown = static_cast<double>(size) * std::pow(static_cast<double>(ranks) / last.asked, 1 / order);
      shape.push_back(std::max<Index>(1, static_cast<Index>(grown)));
    }
    return random_seconds(shape, last.layout.modes.front().dense, tensor.stored_cells * ranks / last.asked, ranks,
                          row_bytes, placement_of(estimates.machine(), ranks, estimates.threads()));
  };
  const double random = random_at(last.asked);
  std::vector<ScalingPoint> points;
  const double alone = last.time.compute;
  for (const int ranks : ranks_of_table(last.asked)) {
    const double share = ranks == last.asked ? 1 : random > 0 ? random_at(ranks) / random : 0;
    const double communication = last.time.communication * share;
    ScalingPoint point;
    point.ranks = ranks;
    point.seconds = alone + (ranks == 1 ? 0 : communication);
    point.efficiency = alone / point.seconds;
    point.speedup = point.efficiency * ranks;
    point.memory = last.memory.total();
    point.share = 1 - alone / point.seconds;
    points.push_back(point);
  }
  return points;
}

int best_ranks(const std::vector<ScalingPoint>& strong) {
  int best = 1;
  for (const ScalingPoint& point : strong)
    if (point.efficiency >= kUsed) best = std::max(best, point.ranks);
  return best;
}

std::string efficiency_bar(double efficiency) {
  const int cells = static_cast<int>(std::lround(std::clamp(efficiency, 0.0, 1.0) * kBarCells));
  std::string text;
  for (int k = 0; k < kBarCells; ++k) text += k < cells ? "#" : ".";
  return text;
}

std::string plural(std::int64_t count, const std::string& noun) {
  return fmt::format("{} {}{}", human_count(count), noun, count == 1 ? "" : "s");
}

std::string scaling_text(const std::string& title, const std::vector<ScalingPoint>& points) {
  std::vector<std::vector<std::string>> table{
      {"ranks", "a sweep", "speed-up", "efficiency", "", "memory", "communication"}};
  for (const ScalingPoint& point : points)
    table.push_back({human_count(point.ranks), human_duration(point.seconds), fmt::format("{:.4g}", point.speedup),
                     fmt::format("{:.0f} %", 100 * point.efficiency), efficiency_bar(point.efficiency),
                     human_bytes(point.memory), fmt::format("{:.0f} %", 100 * point.share)});
  return fmt::format("\n{}\n{}", title, text_table(table, TableColumns::right));
}

}  // namespace tempera::drivers
