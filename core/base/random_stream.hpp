#pragma once

#include <Random123/philox.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "core/base/contract.hpp"
#include "core/base/index.hpp"

namespace tempera {

/// What a random stream is for, as the 64-bit FNV-1a hash of a name such as "cp-init". A literal is hashed by the
/// compiler.
class RandomPurpose {
 public:
  template <std::size_t N>
  consteval RandomPurpose(const char (&literal)[N])  // implicit: RandomStream(seed, "cp-init", {mode, row})
      : hash_(hash(std::string_view(literal, N - 1))) {}
  /// For names known only at run time.
  static constexpr RandomPurpose named(std::string_view name) { return RandomPurpose(hash(name)); }
  constexpr std::uint64_t value() const { return hash_; }

 private:
  explicit constexpr RandomPurpose(std::uint64_t value) : hash_(value) {}
  static constexpr std::uint64_t hash(std::string_view name) {
    std::uint64_t value = 0xcbf29ce484222325u;
    for (const char letter : name) value = (value ^ static_cast<unsigned char>(letter)) * 0x100000001b3u;
    return value;
  }

  std::uint64_t hash_;
};

/// Random numbers that depend only on what they are for: (seed, purpose, up to four indices), never on the MPI rank,
/// thread or order of use. Satisfies std::uniform_random_bit_generator. A small trivially copyable value; constructing
/// one takes a few nanoseconds, so one stream a factor row, replica or trial is fine.
///
/// Random123's Philox4x64-10 (Salmon et al. 2011) maps a 256-bit counter under a 128-bit key to 256 random bits:
///
///     key      seed | hash(purpose)
///     counter  number of indices (3 bits), block number (61 bits) | 192 bits of indices
///
/// Up to three indices take 64 bits each (any sign); four take 48 bits each and must lie in [0, 2^48).
/// Streams of equal seed and purpose that differ in an index, or in how many there are, use disjoint counters of one
/// bijection: no 256-bit block of one recurs in another within 2^61 blocks. Streams that differ in seed or purpose use
/// different keys, hence unrelated bijections; two names collide with probability 2^-64.
class RandomStream {
 public:
  using result_type = std::uint64_t;

  /// @pre at most four indices; if four, each in [0, 2^48) (checked in every build, a ContractViolation)
  RandomStream(std::uint64_t seed, RandomPurpose purpose, std::initializer_list<Index> indices = {})
      : RandomStream(seed, purpose, std::span<const Index>(indices.begin(), indices.size())) {}
  RandomStream(std::uint64_t seed, RandomPurpose purpose, std::span<const Index> indices) {
    key_.v[0] = seed;
    key_.v[1] = purpose.value();
    counter_.v[0] = static_cast<std::uint64_t>(indices.size()) << kBlockBits;
    if (indices.size() < 4) {
      for (std::size_t i = 0; i < indices.size(); ++i) counter_.v[i + 1] = static_cast<std::uint64_t>(indices[i]);
    } else {
      pack_four(indices);
    }
  }

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
  result_type operator()() { return next_u64(); }

  std::uint64_t next_u64() {
    if (used_ == 4) {
      block_ = philox(counter_, key_);
      ++counter_.v[0];
      used_ = 0;
    }
    return block_.v[used_++];
  }

  /// Uniform on the multiples of 2^-53 in [0, 1).
  double uniform() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }
  /// Uniform in (0, 1), symmetric about ½: the odd multiples of 2^-53.
  double uniform_open() { return (static_cast<double>(next_u64() >> 12) + 0.5) * 0x1p-52; }
  /// Uniform on {0, …, n − 1} without bias (Lemire 2019). @pre n ≥ 1
  Index uniform_index(Index n) {
    TEMPERA_EXPECTS(n >= 1);
    const auto bound = static_cast<std::uint64_t>(n);
    auto [high, low] = wide_product(next_u64(), bound);
    if (low < bound) {
      const std::uint64_t threshold = (0 - bound) % bound;
      while (low < threshold) std::tie(high, low) = wide_product(next_u64(), bound);
    }
    return static_cast<Index>(high);
  }

  /// Standard normal (Boost.Random's ziggurat).
  double normal();
  /// Exponential of mean 1.
  double exponential();
  /// Gamma of mean shape·scale (Marsaglia & Tsang 2000). May underflow to 0 for shapes below about 0.05: use
  /// log_gamma_draw there. @pre shape ≥ 1e-300, scale > 0
  double gamma(double shape, double scale = 1);
  /// Logarithm of a gamma draw of scale 1; finite for every shape. @pre shape ≥ 1e-300
  double log_gamma_draw(double shape);
  /// Beta in [0, 1]; tiny parameters are handled in log space. @pre a, b ≥ 1e-300
  double beta(double a, double b);
  /// Exact for every mean (inversion below 10, Hörmann's PTRS from there). @pre 0 ≤ mean ≤ 2^52
  std::int64_t poisson(double mean);
  /// Position drawn in proportion to the weights; O(n). @pre weights ≥ 0 and finite, with a positive sum
  Index categorical(std::span<const double> weights);
  /// Uniformly random order of 0 … n − 1.
  std::vector<Index> permutation(Index n);
  /// Fisher–Yates. Any range with random access and size().
  template <class Range>
  void shuffle(Range&& range) {
    using std::swap;
    for (Index i = static_cast<Index>(std::size(range)) - 1; i > 0; --i) {
      const Index j = uniform_index(i + 1);
      if (j != i) swap(range[static_cast<std::size_t>(i)], range[static_cast<std::size_t>(j)]);
    }
  }

 private:
  static constexpr int kBlockBits = 61;
  static constexpr int kFourthBits = 48;
  using Words = std::pair<std::uint64_t, std::uint64_t>;

  static r123::Philox4x64::ctr_type philox(const r123::Philox4x64::ctr_type& counter,
                                           const r123::Philox4x64::key_type& key) {
    return r123::Philox4x64()(counter, key);
  }
  static Words wide_product(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)};
  }
  void pack_four(std::span<const Index> indices);
  double gamma_from_one_up(double shape);
  std::int64_t poisson_by_inversion(double mean);
  std::int64_t poisson_by_rejection(double mean);

  r123::Philox4x64::key_type key_{};
  r123::Philox4x64::ctr_type counter_{};
  r123::Philox4x64::ctr_type block_{};
  unsigned used_ = 4;
};

}  // namespace tempera
