#include "distributed/als/leading_vectors.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/random_stream.hpp"
#include "distributed/als/polar_factor.hpp"
#include "distributed/tensor/local_rows.hpp"

namespace tempera {

namespace {

constexpr Index kOversampling = 10;
constexpr int kPowerSteps = 1;
constexpr Index kMostBuckets = Index{1} << 16;
constexpr Index kBucketsPerCell = 16;  // few cells need fewer buckets to stay apart
constexpr double kAbsent = 1e-14;      // squares of singular values below this share of the largest are rounding
constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

/// to += scale · from over whole padded rows.
inline void add_scaled(double* __restrict to, double scale, const double* __restrict from, Index stride) {
#pragma omp simd
  for (Index r = 0; r < stride; ++r) to[r] += scale * from[r];
}

/// Where the fibres of a mode are added up, and with which sign.
class FibreBuckets {
 public:
  FibreBuckets(const DistributedTensor& tensor, int mode, std::uint64_t seed) : mode_(static_cast<std::size_t>(mode)) {
    const std::vector<Index>& shape = tensor.shape();
    double fibres = 1;
    for (std::size_t k = 0; k < shape.size(); ++k)
      if (k != mode_) fibres *= static_cast<double>(shape[k]);
    const auto wanted = std::bit_ceil(static_cast<std::uint64_t>(kBucketsPerCell * tensor.stored_cells() + 1));
    buckets_ = std::min(kMostBuckets, static_cast<Index>(std::min<std::uint64_t>(wanted, std::uint64_t{1} << 62)));
    exact_ = fibres <= static_cast<double>(kMostBuckets);
    std::uint64_t step = 1;
    const Index cells = tensor.stored_cells() / tensor.grid().size();
    for (std::size_t k = 0; k < shape.size(); ++k) {
      add_words(tensor.rows(static_cast<int>(k)).global_rows, k, step, seed, cells);
      if (exact_ && k != mode_) step *= static_cast<std::uint64_t>(shape[k]);
    }
    if (exact_) buckets_ = static_cast<Index>(fibres);
  }

  Index count() const { return buckets_; }
  /// Local row of the mode.
  Index row(std::span<const Index> cell) const { return static_cast<Index>(local_[mode_][cell[mode_]]); }
  Index bucket(std::span<const Index> cell, double& sign) const {
    std::uint64_t word = 0;
    for (std::size_t k = 0; k < words_.size(); ++k) {
      if (k == mode_) continue;
      const std::uint64_t own = words_[k][local_[k][cell[k]]];
      word = exact_ ? word + own : word ^ own;
    }
    sign = !exact_ && (word & kSignBit) != 0 ? -1 : 1;
    return static_cast<Index>(exact_ ? word : word & static_cast<std::uint64_t>(buckets_ - 1));
  }

 private:
  /// One word a local row of another mode: a random one, or the index times its step where every fibre has its bucket.
  void add_words(std::span<const Index> rows, std::size_t k, std::uint64_t step, std::uint64_t seed, Index cells) {
    std::vector<Index> touched(rows.begin(), rows.end());
    std::sort(touched.begin(), touched.end());
    local_.emplace_back(touched, rows, cells);
    std::vector<std::uint64_t>& words = words_.emplace_back(k == mode_ ? 0 : rows.size());
    for (std::size_t local = 0; local < words.size(); ++local)
      words[local] =
          exact_ ? step * static_cast<std::uint64_t>(rows[local])
                 : RandomStream(seed, "nvecs-bucket", {static_cast<Index>(mode_), static_cast<Index>(k), rows[local]})
                       .next_u64();
  }

  std::size_t mode_;
  bool exact_ = false;
  Index buckets_ = 0;
  std::vector<LocalRows> local_;
  std::vector<std::vector<std::uint64_t>> words_;
};

/// The range of one unfolding.
class RangeFinder {
 public:
  RangeFinder(const DistributedTensor& tensor, int mode, Index columns, std::uint64_t seed)
      : tensor_(tensor),
        ranks_(tensor.grid().active_ranks()),
        mode_(mode),
        columns_(columns),
        buckets_(tensor, mode, seed),
        range_(tensor.rows(mode).rows(), columns) {
    sketch(seed);
    orthonormalise();
  }

  void power_step() {
    project();
    range_.set_zero();
    tensor_.for_each_cell([&](std::span<const Index> cell, double value) {
      double sign;
      const double* from = projected_.row(buckets_.bucket(cell, sign));
      double* to = range_.row(buckets_.row(cell));
      add_scaled(to, sign * value, from, range_.stride());
    });
    tensor_.exchange(mode_).reduce_to_owners(range_);
    orthonormalise();
  }

  /// Rayleigh–Ritz in the range.
  LeadingVectors leading(Index count) {
    project();
    const RitzPairs ritz = decompose();
    const double largest = ritz.values.back();
    LeadingVectors result;
    for (Index r = 0; r < std::min(count, columns_); ++r) {
      const double square = ritz.values[static_cast<std::size_t>(columns_ - 1 - r)];
      if (square <= kAbsent * largest) break;
      result.squares.push_back(square);
    }
    const auto found = std::ssize(result.squares);
    result.vectors = FactorMatrix(range_.rows(), found);
    for (Index i = 0; i < range_.rows(); ++i)
      for (Index r = 0; r < found; ++r) {
        const double* weights = ritz.vectors.data() + (columns_ - 1 - r) * columns_;
        double sum = 0;
        for (Index k = 0; k < columns_; ++k) sum += range_(i, k) * weights[k];
        result.vectors(i, r) = sum;
      }
    turn(result.vectors);
    return result;
  }

 private:
  struct RitzPairs {
    std::vector<double> values;   // eigenvalues, increasing
    std::vector<double> vectors;  // columns
  };

  void sketch(std::uint64_t seed) {
    std::vector<FactorMatrix> gaussian;
    for (int k = 0; k < tensor_.order(); ++k) {
      const std::vector<Index>& rows = tensor_.rows(k).global_rows;
      FactorMatrix& factor = gaussian.emplace_back(std::ssize(rows), columns_);
      for (Index i = 0; k != mode_ && i < factor.rows(); ++i) {
        RandomStream stream(seed, "nvecs-sketch", {mode_, k, rows[static_cast<std::size_t>(i)]});
        for (Index r = 0; r < columns_; ++r) factor(i, r) = stream.normal();
      }
    }
    tensor_.mttkrp(gaussian, mode_, range_);
    tensor_.exchange(mode_).reduce_to_owners(range_);
  }

  /// An orthonormal basis of the columns on the owned rows, then on all that this rank holds.
  void orthonormalise() {
    const RowLayout& layout = tensor_.rows(mode_);
    FactorMatrix owned(layout.owned_count, columns_);
    double* first = range_.row(layout.owned_begin);
    std::copy_n(first, owned.storage().size(), owned.data());
    replace_by_polar_factor(ranks_, owned);
    std::copy_n(owned.data(), owned.storage().size(), first);
    tensor_.exchange(mode_).share_with_ghosts(range_);
  }

  /// Qᵀ X, a row a bucket, summed over the ranks.
  void project() {
    projected_ = FactorMatrix(buckets_.count(), columns_);
    tensor_.for_each_cell([&](std::span<const Index> cell, double value) {
      double sign;
      double* to = projected_.row(buckets_.bucket(cell, sign));
      const double* from = range_.row(buckets_.row(cell));
      add_scaled(to, sign * value, from, range_.stride());
    });
    ranks_.all_reduce(projected_.storage(), Reduction::sum);
  }

  /// Eigenvalues and vectors of what the projection says of QᵀXXᵀQ, found on one rank.
  RitzPairs decompose() const {
    const auto n = static_cast<int>(columns_);
    RitzPairs ritz{std::vector<double>(static_cast<std::size_t>(n)),
                   std::vector<double>(static_cast<std::size_t>(n) * static_cast<std::size_t>(n))};
    int status = 0;
    if (ranks_.is_root()) {
      cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, n, static_cast<int>(projected_.rows()), 1.0,
                  projected_.data(), static_cast<int>(projected_.stride()), 0.0, ritz.vectors.data(), n);
      status = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', n, ritz.vectors.data(), n, ritz.values.data());
    }
    if (status != 0) throw Error(Category::numerical, "", "the singular vectors of an unfolding were not found");
    ranks_.broadcast(std::span<double>(ritz.values), 0);
    ranks_.broadcast(std::span<double>(ritz.vectors), 0);
    return ritz;
  }

  void turn(FactorMatrix& vectors) const {
    const RowLayout& layout = tensor_.rows(mode_);
    std::vector<double> sums(static_cast<std::size_t>(vectors.columns()), 0.0);
    for (Index i = layout.owned_begin; i < layout.owned_begin + layout.owned_count; ++i)
      for (Index r = 0; r < vectors.columns(); ++r) sums[static_cast<std::size_t>(r)] += vectors(i, r);
    ranks_.all_reduce(std::span<double>(sums), Reduction::sum);
    for (Index i = 0; i < vectors.rows(); ++i)
      for (Index r = 0; r < vectors.columns(); ++r)
        if (sums[static_cast<std::size_t>(r)] < 0) vectors(i, r) = -vectors(i, r);
  }

  const DistributedTensor& tensor_;
  const Communicator& ranks_;
  int mode_;
  Index columns_;
  FibreBuckets buckets_;
  FactorMatrix range_;      // on all local rows
  FactorMatrix projected_;  // a row a bucket
};

}  // namespace

double leading_vectors_bytes(std::span<const Index> rows, std::span<const Index> spans, double cells, Index count) {
  double all = 0, longest = 0, numbers = 0;
  for (std::size_t mode = 0; mode < rows.size(); ++mode) {
    const auto own = static_cast<double>(rows[mode]), span = static_cast<double>(spans[mode]);
    all += own;
    longest = std::max(longest, own);
    if (own > 0) numbers += 8 * own + (span <= 2 * cells ? 4 * span : 12 * own);  // words, and LocalRows
  }
  const double columns = static_cast<double>(count) + static_cast<double>(kOversampling) + 8;  // and the padding
  // The Gaussian matrices are gone when the buckets are filled.
  return 8 * columns * (std::max(all, 2 * static_cast<double>(kMostBuckets)) + 3 * longest) + numbers;
}

LeadingVectors leading_vectors(const DistributedTensor& tensor, int mode, Index count, std::uint64_t seed) {
  const auto region = tensor.grid().active_ranks().regions().open("leading vectors");
  const Index columns = std::min(tensor.shape()[static_cast<std::size_t>(mode)], count + kOversampling);
  RangeFinder finder(tensor, mode, columns, seed);
  for (int step = 0; step < kPowerSteps; ++step) finder.power_step();
  return finder.leading(count);
}

}  // namespace tempera
