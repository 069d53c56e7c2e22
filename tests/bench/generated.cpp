#include "tests/bench/generated.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/random_stream.hpp"
#include "tests/support/skewed.hpp"

namespace tempera::bench {

SparseCase sparse_case(const std::string& name, Index nonzeros, double exponent) {
  const std::map<std::string, std::vector<Index>> shapes{
      {"order3", {12000, 9000, 28000}},       {"order4", {1600, 4000, 2500, 1800}},
      {"order5", {400, 900, 150, 1200, 300}}, {"hypersparse", {nonzeros + 1, nonzeros / 2 + 1, 2 * nonzeros + 1}},
      {"flat", {1600, 4000, 24, 77}},
  };
  return {name, shapes.at(name), nonzeros, exponent};
}

SparseTensor generated(const SparseCase& what, bool counts) {
  RandomStream stream(1, "bench-tensor", {});
  const std::size_t order = what.shape.size();
  std::vector<LargeVector<Index>> indices(order);
  std::vector<std::vector<Index>> labels;
  for (const Index size : what.shape) labels.push_back(stream.permutation(size));
  LargeVector<double> values;
  values.reserve(static_cast<std::size_t>(what.nonzeros));
  for (auto& list : indices) list.reserve(static_cast<std::size_t>(what.nonzeros));
  for (Index k = 0; k < what.nonzeros; ++k) {
    for (std::size_t mode = 0; mode < order; ++mode)
      indices[mode].push_back(
          labels[mode][static_cast<std::size_t>(test::zipf(stream, what.shape[mode], what.exponent))]);
    values.push_back(counts ? static_cast<double>(1 + stream.uniform_index(9)) : stream.uniform());
  }
  return SparseTensor(what.shape, std::move(indices), std::move(values));
}

DenseTensor generated_dense(const std::vector<Index>& shape) {
  DenseTensor tensor(shape);
  RandomStream stream(1, "bench-dense", {});
  for (double& value : tensor.values()) value = stream.uniform();
  return tensor;
}

FactorMatrix generated_matrix(Index rows, Index columns, Index key) {
  FactorMatrix matrix(rows, columns);
  RandomStream stream(2, "bench-factor", {key});
  for (Index i = 0; i < rows; ++i)
    for (Index r = 0; r < columns; ++r) matrix(i, r) = stream.uniform();
  return matrix;
}

std::vector<FactorMatrix> generated_factors(const std::vector<Index>& shape, Index rank) {
  std::vector<FactorMatrix> factors;
  for (const Index size : shape) factors.push_back(generated_matrix(size, rank, static_cast<Index>(factors.size())));
  return factors;
}

double largest_difference(const FactorMatrix& a, const FactorMatrix& b) {
  double difference = 0, largest = 0;
  for (Index i = 0; i < a.rows(); ++i)
    for (Index r = 0; r < a.columns(); ++r) {
      difference = std::max(difference, std::abs(a(i, r) - b(i, r)));
      largest = std::max(largest, std::abs(a(i, r)));
    }
  return largest > 0 ? difference / largest : difference;
}

std::string shape_text(const std::vector<Index>& shape) {
  return fmt::format("{}", fmt::join(shape, "x"));
}

}  // namespace tempera::bench
