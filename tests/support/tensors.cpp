#include "tests/support/tensors.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

#include "core/base/random_stream.hpp"

namespace tempera::test {

FactorMatrix random_matrix(Index rows, Index columns, std::uint64_t seed) {
  FactorMatrix matrix(rows, columns);
  RandomStream stream(seed, "test-matrix", {});
  for (Index i = 0; i < rows; ++i)
    for (Index r = 0; r < columns; ++r) matrix(i, r) = stream.normal();
  return matrix;
}

std::vector<FactorMatrix> random_factors(const std::vector<Index>& shape, Index rank, std::uint64_t seed) {
  std::vector<FactorMatrix> factors;
  for (std::size_t mode = 0; mode < shape.size(); ++mode)
    factors.push_back(random_matrix(shape[mode], rank, seed * 16 + mode));
  return factors;
}

SparseTensor random_sparse(const std::vector<Index>& shape, Index count, std::uint64_t seed) {
  SparseTensor tensor(shape);
  RandomStream stream(seed, "test-sparse", {});
  std::set<std::vector<Index>> seen;
  count = static_cast<Index>(std::min(static_cast<double>(count), cell_count(shape)));
  std::vector<Index> cell(shape.size());
  while (tensor.nonzeros() < count) {
    for (std::size_t mode = 0; mode < shape.size(); ++mode)
      cell[mode] = static_cast<Index>(stream.uniform_index(static_cast<std::uint64_t>(shape[mode])));
    if (seen.insert(cell).second) tensor.append(cell, stream.normal());
  }
  return tensor;
}

DenseTensor random_dense(const std::vector<Index>& shape, std::uint64_t seed) {
  DenseTensor tensor(shape);
  RandomStream stream(seed, "test-dense", {});
  for (double& value : tensor.values()) value = stream.normal();
  return tensor;
}

SparseTensor every_cell(const DenseTensor& tensor) {
  SparseTensor result(tensor.shape());
  std::vector<Index> cell(tensor.shape().size(), 0);
  do result.append(cell, tensor(cell));
  while (next_cell(cell, tensor.shape()));
  return result;
}

DenseTensor filled(const SparseTensor& tensor) {
  DenseTensor result(tensor.shape());
  std::vector<Index> cell(tensor.shape().size());
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    for (int mode = 0; mode < tensor.order(); ++mode) cell[static_cast<std::size_t>(mode)] = tensor.indices(mode)[k];
    result(cell) += tensor.values()[k];
  }
  return result;
}

DenseTensor planted(const KruskalTensor& model, double noise, std::uint64_t seed) {
  DenseTensor tensor(model.shape());
  std::vector<Index> cell(tensor.shape().size(), 0);
  double norm = 0;
  do {
    const double value = model(cell);
    tensor(cell) = value;
    norm += value * value;
  } while (next_cell(cell, tensor.shape()));
  if (noise > 0) {
    RandomStream stream(seed, "test-noise", {});
    const double scale = noise * std::sqrt(norm / static_cast<double>(tensor.size()));
    for (double& value : tensor.values()) value += scale * stream.normal();
  }
  return tensor;
}

DenseTensor count_draws(const KruskalTensor& model, std::uint64_t seed) {
  DenseTensor tensor(model.shape());
  RandomStream stream(seed, "count-draws", {});
  std::vector<Index> cell(tensor.shape().size(), 0);
  do tensor(cell) = static_cast<double>(stream.poisson(model(cell)));
  while (next_cell(cell, tensor.shape()));
  return tensor;
}

SparseTensor positive_cells(const DenseTensor& tensor) {
  SparseTensor result(tensor.shape());
  std::vector<Index> cell(tensor.shape().size(), 0);
  do
    if (tensor(cell) > 0) result.append(cell, tensor(cell));
  while (next_cell(cell, tensor.shape()));
  return result;
}

FactorMatrix brute_force_mttkrp(const DenseTensor& tensor, const std::vector<FactorMatrix>& factors, int mode) {
  FactorMatrix result(tensor.shape()[static_cast<std::size_t>(mode)], factors.front().columns());
  std::vector<Index> cell(tensor.shape().size(), 0);
  if (tensor.size() == 0) return result;
  do {
    for (Index r = 0; r < result.columns(); ++r) {
      double product = tensor(cell);
      for (std::size_t other = 0; other < cell.size(); ++other)
        if (static_cast<int>(other) != mode) product *= factors[other](cell[other], r);
      result(cell[static_cast<std::size_t>(mode)], r) += product;
    }
  } while (next_cell(cell, tensor.shape()));
  return result;
}

double relative_difference(const FactorMatrix& a, const FactorMatrix& b) {
  if (a.rows() != b.rows() || a.columns() != b.columns()) return std::numeric_limits<double>::infinity();
  double largest = 0, difference = 0;
  for (Index i = 0; i < a.rows(); ++i)
    for (Index r = 0; r < a.columns(); ++r) {
      largest = std::max(largest, std::abs(a(i, r)));
      difference = std::max(difference, std::abs(a(i, r) - b(i, r)));
    }
  return largest > 0 ? difference / largest : difference;
}

double factor_match_score(const KruskalTensor& a, const KruskalTensor& b) {
  const auto rank = static_cast<std::size_t>(a.rank());
  std::vector<double> similarity(rank * rank, 1.0);
  for (std::size_t mode = 0; mode < a.factors.size(); ++mode)
    for (std::size_t p = 0; p < rank; ++p)
      for (std::size_t q = 0; q < rank; ++q) {
        double dot = 0, norm_a = 0, norm_b = 0;
        for (Index i = 0; i < a.factors[mode].rows(); ++i) {
          const double x = a.factors[mode](i, static_cast<Index>(p)), y = b.factors[mode](i, static_cast<Index>(q));
          dot += x * y;
          norm_a += x * x;
          norm_b += y * y;
        }
        similarity[p * rank + q] *= norm_a * norm_b > 0 ? std::abs(dot) / std::sqrt(norm_a * norm_b) : 0.0;
      }
  // best[S]: largest sum of similarities of components 0 … |S| − 1 of `a` matched to the subset S of those of `b`
  std::vector<double> best(std::size_t{1} << rank, -1.0);
  best[0] = 0;
  for (std::size_t subset = 0; subset < best.size(); ++subset) {
    const auto p = static_cast<std::size_t>(__builtin_popcountll(subset));
    if (p == rank) break;
    for (std::size_t q = 0; q < rank; ++q)
      if ((subset >> q & 1) == 0) {
        double& next = best[subset | (std::size_t{1} << q)];
        next = std::max(next, best[subset] + similarity[p * rank + q]);
      }
  }
  return best.back() / static_cast<double>(rank);
}

}  // namespace tempera::test
