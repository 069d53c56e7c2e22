// Products of a dense block on one core: MTTKRP of every mode by itself, and of all modes of a sweep through the dimension
// tree; both checked against sums over the cells. (The row updates that follow are in row_bench.)
//
//   dense_bench shapes=200x200x200,60x60x60x60 rank=10,16,32 threads=1 only=tree
//
// Bound of a product: its multiply-adds, and the cells once from where they live; of a sweep through the tree: two products
// with the cells, and every partial product written once and read by both its children.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/tensor/dimension_tree.hpp"
#include "core/tensor/mttkrp.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/generated.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr double kAgree = 1e-11;

struct Case {
  std::string name;
  DenseTensor tensor;
  std::vector<FactorMatrix> factors;
  std::vector<FactorMatrix> answers;  ///< of every mode
  Index rank;
  int threads;
};

std::vector<Index> shape_of(const std::string& text) {
  std::vector<Index> shape;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, 'x');) shape.push_back(std::atol(word.c_str()));
  return shape;
}

/// All modes by the definition, cell by cell.
std::vector<FactorMatrix> direct(const DenseTensor& tensor, const std::vector<FactorMatrix>& factors, Index rank) {
  std::vector<FactorMatrix> results;
  for (const Index size : tensor.shape()) results.emplace_back(size, rank);
  std::vector<Index> cell(tensor.shape().size(), 0);
  std::size_t position = 0;
  do {
    const double value = tensor.values()[position++];
    for (Index r = 0; r < rank; ++r)
      for (std::size_t mode = 0; mode < cell.size(); ++mode) {
        double product = value;
        for (std::size_t other = 0; other < cell.size(); ++other)
          if (other != mode) product *= factors[other](cell[other], r);
        results[mode](cell[mode], r) += product;
      }
  } while (next_cell(cell, tensor.shape()));
  return results;
}

Case made_case(const std::vector<Index>& shape, Index rank, int threads) {
  Case made{
      fmt::format("{}, rank {}{}", shape_text(shape), rank, threads > 1 ? fmt::format(", {} threads", threads) : ""),
      generated_dense(shape),
      generated_factors(shape, rank),
      {},
      rank,
      threads};
  made.answers = direct(made.tensor, made.factors, rank);
  return made;
}

Work product_with_cells(const Case& c) {
  const auto cells = static_cast<double>(c.tensor.size());
  Work work;
  work.flops = 2 * cells * static_cast<double>(c.rank) / c.threads;
  work.traffic = {{8 * cells, 8 * cells}};
  return work;
}

void bench_mode(const Case& c, int mode, Report& report) {
  const auto m = static_cast<std::size_t>(mode);
  FactorMatrix result(c.tensor.shape()[m], c.rank);
  const Timing timing = time_runs([&] { mttkrp(c.tensor, c.factors, mode, result, c.threads); });
  report.add(c.name, fmt::format("MTTKRP mode {}", mode), timing, product_with_cells(c),
             largest_difference(c.answers[m], result) < kAgree);
}

void bench_tree(const Case& c, Report& report) {
  DimensionTree tree(c.tensor.shape(), c.rank);
  std::vector<FactorMatrix> results;
  for (const Index size : c.tensor.shape()) results.emplace_back(size, c.rank);
  std::vector<std::uint64_t> versions(results.size(), 0);
  std::uint64_t sweep = 0;
  const Timing timing = time_runs([&] {
    ++sweep;
    for (std::size_t mode = 0; mode < results.size(); ++mode) {
      tree.mttkrp(c.tensor, c.factors, versions, static_cast<int>(mode), results[mode], c.threads);
      versions[mode] = sweep;  // as if it had been updated
    }
  });
  bool correct = true;
  for (std::size_t mode = 0; mode < results.size(); ++mode)
    correct = correct && largest_difference(c.answers[mode], results[mode]) < kAgree;
  const Work one = product_with_cells(c);
  const double products = static_cast<double>(tree.work().from_cells) / static_cast<double>(sweep);
  const auto kept = static_cast<double>(tree.bytes());
  Work work;
  work.flops = products * one.flops;
  work.traffic = {{products * one.traffic.front().bytes, one.traffic.front().footprint}};
  if (kept > 0) work.traffic.push_back({3 * kept, kept});
  report.add(c.name, "tree sweep", timing, work, correct,
             {{"products_with_cells", products}, {"kept_bytes", tree.bytes()}});
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(
      argc, argv,
      {{"shapes", "200x200x200,300x200x100,60x60x60x60"}, {"rank", "10,16,32"}, {"threads", "1"}, {"only", ""}});
  Report report("dense", settings);
  for (const std::string& text : settings.texts("shapes"))
    for (const Index rank : settings.integers("rank")) {
      const Case made = made_case(shape_of(text), rank, static_cast<int>(settings.integer("threads")));
      if (settings.wants("mttkrp"))
        for (int mode = 0; mode < made.tensor.order(); ++mode) bench_mode(made, mode, report);
      if (settings.wants("tree")) bench_tree(made, report);
    }
  return report.finish();
}
