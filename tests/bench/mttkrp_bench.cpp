// Sparse MTTKRP against the roofline of this machine, measured in the same run.
//
//   mttkrp_bench [NONZEROS [RANK [EXPONENT]]]      defaults: 2000000 16 1.0
//
// The tensor is 12000 x 9000 x 28000 with Zipf-distributed indices in shuffled labels. For every mode: best and median
// time of kRuns, checked against the coordinate kernel.
//
// Bound: the kernel cannot be faster than max(F / peak, S / W_tree + Σ_levels V_l / W_l), where
//   F       2·rank operations for each leaf and inner node below the root; peak: measured multiply-adds,
//   S       bytes of the tree and of the result, each moved once; W_tree: triad bandwidth at the footprint of the tree,
//   V_l     bytes of factor rows that the traversal reads at level l (rank·8 a node);
//   W_l     triad bandwidth at the footprint of that level's factor, i.e. of the cache it lives in.
// `fraction` is bound / time. `compulsory` is the same with every factor row moved once, from memory: no kernel that
// misses no reuse could beat it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "core/base/random_stream.hpp"
#include "core/base/roofline.hpp"
#include "core/base/simd.hpp"
#include "core/tensor/csf_set.hpp"
#include "core/tensor/mttkrp.hpp"

namespace {

using namespace tempera;

constexpr int kRuns = 15;
constexpr double kMeasureSeconds = 0.2;

Index zipf(RandomStream& stream, Index size, double exponent) {
  const double u = stream.uniform(), n = static_cast<double>(size);
  const double x =
      exponent == 1 ? std::pow(n + 1, u) : std::pow(u * (std::pow(n + 1, 1 - exponent) - 1) + 1, 1 / (1 - exponent));
  return std::min(size - 1, static_cast<Index>(x) - 1);
}

SparseTensor skewed_tensor(const std::vector<Index>& shape, Index nonzeros, double exponent) {
  RandomStream stream(1, "bench-tensor", {});
  std::vector<std::vector<Index>> indices(shape.size()), labels;
  for (Index size : shape) labels.push_back(stream.permutation(size));
  std::vector<double> values;
  for (Index k = 0; k < nonzeros; ++k) {
    for (std::size_t mode = 0; mode < shape.size(); ++mode)
      indices[mode].push_back(labels[mode][static_cast<std::size_t>(zipf(stream, shape[mode], exponent))]);
    values.push_back(stream.uniform());
  }
  return SparseTensor(shape, std::move(indices), std::move(values));
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double triad(double footprint) {
  return measure_triad(std::max<std::int64_t>(24 * 1024, static_cast<std::int64_t>(footprint)), kMeasureSeconds);
}

double largest_difference(const FactorMatrix& a, const FactorMatrix& b) {
  double difference = 0, largest = 0;
  for (std::size_t k = 0; k < a.storage().size(); ++k) {
    difference = std::max(difference, std::abs(a.storage()[k] - b.storage()[k]));
    largest = std::max(largest, std::abs(a.storage()[k]));
  }
  return difference / largest;
}

}  // namespace

int main(int argc, char** argv) {
  const Index nonzeros = argc > 1 ? std::atol(argv[1]) : 2000000, rank = argc > 2 ? std::atol(argv[2]) : 16;
  const double exponent = argc > 3 ? std::atof(argv[3]) : 1.0;
  const std::vector<Index> shape{12000, 9000, 28000};
  const SparseTensor tensor = skewed_tensor(shape, nonzeros, exponent);
  const double build_start = seconds_now();
  const CsfSet trees(NonzeroList(tensor), CsfPolicy::all);
  const double build_seconds = seconds_now() - build_start;
  std::vector<FactorMatrix> factors;
  for (Index size : shape) {
    RandomStream stream(2, "bench-factor", {static_cast<Index>(factors.size())});
    factors.emplace_back(size, rank);
    for (Index i = 0; i < size; ++i)
      for (Index r = 0; r < rank; ++r) factors.back()(i, r) = stream.uniform();
  }

  const double peak = measure_multiply_add_peak(kMeasureSeconds);
  std::map<std::size_t, double> factor_bandwidth;
  for (std::size_t mode = 0; mode < shape.size(); ++mode)
    factor_bandwidth[mode] = triad(static_cast<double>(shape[mode] * rank * 8));
  const double tree_bandwidth = triad(static_cast<double>(trees.trees().front().bytes()));

  nlohmann::ordered_json report{{"bench", "mttkrp"},
                                {"nonzeros", trees.trees().front().nonzeros()},
                                {"rank", rank},
                                {"exponent", exponent},
                                {"simd", name(simd_level())},
                                {"peak_flops", peak},
                                {"tree_bandwidth_bytes_per_second", tree_bandwidth},
                                {"build_seconds", build_seconds}};
  fmt::print("{} nonzeros, rank {}, {}, trees {:.1f} MB built in {:.2f} s\n", trees.trees().front().nonzeros(), rank,
             name(simd_level()), static_cast<double>(trees.bytes()) / 1e6, build_seconds);
  fmt::print("multiply-add peak {:.1f} GFLOP/s, triad at the tree's footprint {:.1f} GB/s\n", peak / 1e9,
             tree_bandwidth / 1e9);
  fmt::print("mode   best ms  median ms  GFLOP/s  GB/s   bound ms  fraction  compulsory\n");
  bool correct = true;
  double time_of_all = 0, bound_of_all = 0;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    const CsfTensor& tree = trees.tree_for(mode);
    FactorMatrix result(shape[static_cast<std::size_t>(mode)], rank), oracle = result;
    mttkrp(tensor, factors, mode, oracle);
    std::vector<double> times;
    for (int run = 0; run < kRuns; ++run) {
      const double start = seconds_now();
      mttkrp(tree, factors, mode, result);
      times.push_back(seconds_now() - start);
    }
    correct = correct && largest_difference(oracle, result) < 1e-12;
    std::sort(times.begin(), times.end());
    double flops = 0, row_bytes = 0, row_seconds = 0, distinct_bytes = 0;
    const double row = static_cast<double>(rank) * 8;
    for (int level = 1; level < tree.order(); ++level) {
      const auto nodes = static_cast<double>(tree.nodes(level));
      const auto factor = static_cast<std::size_t>(tree.mode_order()[static_cast<std::size_t>(level)]);
      flops += 2 * static_cast<double>(rank) * nodes;
      row_bytes += nodes * row;
      row_seconds += nodes * row / factor_bandwidth[factor];
      distinct_bytes += static_cast<double>(shape[factor]) * row;
    }
    const double stream_bytes = static_cast<double>(tree.bytes()) + static_cast<double>(result.rows()) * row;
    const double bound = std::max(flops / peak, stream_bytes / tree_bandwidth + row_seconds);
    const double compulsory = std::max(flops / peak, (stream_bytes + distinct_bytes) / tree_bandwidth);
    const double best = times.front(), median = times[times.size() / 2];
    time_of_all += median;
    bound_of_all += bound;
    fmt::print("{:4}  {:8.2f}  {:9.2f}  {:7.2f}  {:5.1f}  {:8.2f}  {:8.2f}  {:10.2f}\n", mode, best * 1e3, median * 1e3,
               flops / median / 1e9, (stream_bytes + row_bytes) / median / 1e9, bound * 1e3, bound / median,
               compulsory / median);
    report["modes"].push_back({{"mode", mode},
                               {"best_seconds", best},
                               {"median_seconds", median},
                               {"flops", flops},
                               {"bytes", stream_bytes + row_bytes},
                               {"bound_seconds", bound},
                               {"fraction", bound / median},
                               {"compulsory_fraction", compulsory / median}});
  }
  report["fraction"] = bound_of_all / time_of_all;
  report["correct"] = correct;
  fmt::print("all modes: {:.2f} of the roofline; answers {}\n{}\n", bound_of_all / time_of_all,
             correct ? "equal the coordinate kernel's" : "WRONG", report.dump());
  return correct ? 0 : 1;
}
