#include "core/bayesopt/sobol.hpp"

#include <fmt/format.h>

#include <boost/math/special_functions/erf.hpp>
#include <boost/random/sobol.hpp>
#include <numbers>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {

constexpr int kBits = 32;
using Engine = boost::random::sobol_engine<std::uint32_t, kBits>;
static_assert(boost::random::default_sobol_table::max_dimension >= ScrambledSobol::kMaxDimensions);

constexpr std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

}  // namespace

ScrambledSobol::ScrambledSobol(Index dimensions, std::uint64_t seed, RandomPurpose purpose, Index number) {
  TEMPERA_EXPECTS(dimensions >= 1);
  if (dimensions > kMaxDimensions)
    throw Error(Category::usage, "",
                fmt::format("Sobol points have at most {} coordinates, not {}", kMaxDimensions, dimensions));
  coordinates_.resize(at(dimensions));
  for (Index j = 0; j < dimensions; ++j) {
    Coordinate& coordinate = coordinates_[at(j)];
    RandomStream stream(seed, purpose, {number, j});
    std::array<std::uint32_t, kBits> column;  // of the bit of value 2^k: itself and any of the less significant ones
    for (int k = 0; k < kBits; ++k) {
      const std::uint32_t itself = std::uint32_t{1} << k;
      column[at(k)] = itself | (static_cast<std::uint32_t>(stream.next_u64() >> 32) & (itself - 1));
    }
    coordinate.shift = static_cast<std::uint32_t>(stream.next_u64() >> 32);
    for (std::size_t byte = 0; byte < 4; ++byte)
      for (std::size_t value = 0; value < 256; ++value) {
        std::uint32_t sum = 0;
        for (std::size_t k = 0; k < 8; ++k)
          if (value >> k & 1) sum ^= column[8 * byte + k];
        coordinate.columns[byte][value] = sum;
      }
  }
}

std::uint32_t ScrambledSobol::scramble(const Coordinate& coordinate, std::uint32_t bits) const {
  return coordinate.shift ^ coordinate.columns[0][bits & 255] ^ coordinate.columns[1][bits >> 8 & 255] ^
         coordinate.columns[2][bits >> 16 & 255] ^ coordinate.columns[3][bits >> 24];
}

Eigen::MatrixXd ScrambledSobol::points(Index first, Index count) const {
  TEMPERA_EXPECTS(first >= 0 && count >= 0 && first + count <= kMaxPoints);
  Eigen::MatrixXd result(dimensions(), count);
  Engine engine(at(dimensions()));
  if (first > 0) engine.seed(static_cast<std::uint32_t>(first - 1));  // the engine leaves out the point of zeros
  for (Index i = 0; i < count; ++i)
    for (Index j = 0; j < dimensions(); ++j) {
      const std::uint32_t bits = first + i == 0 ? 0 : static_cast<std::uint32_t>(engine());
      result(j, i) = (scramble(coordinates_[at(j)], bits) + 0.5) * 0x1p-32;
    }
  return result;
}

Eigen::MatrixXd ScrambledSobol::normals(Index first, Index count) const {
  return points(first, count).unaryExpr([](double u) { return -std::numbers::sqrt2 * boost::math::erfc_inv(2 * u); });
}

}  // namespace tempera
