#include "core/sampling/parameter_layout.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {

/// A point given by a person must lie in its support to this accuracy relative to its size.
constexpr double kSupportTolerance = 1e-8;

/// Entries of one value of the transform. @throws Error{Category::shape}
Index value_size(const ParameterBlock& block) {
  const auto order = static_cast<std::size_t>(block.transform.order());
  const std::string where = fmt::format("parameter {}", block.name);
  for (const Index size : block.shape)
    if (size < 1)
      throw Error(Category::shape, where,
                  fmt::format("its shape ({}) has a size below 1", fmt::join(block.shape, ", ")));
  if (block.shape.size() < order)
    throw Error(Category::shape, where,
                fmt::format("{} needs {}, but its shape is ({})", block.transform.text(),
                            order == 1 ? "a vector" : "a square matrix", fmt::join(block.shape, ", ")));
  if (order == 2 && block.shape.back() != block.shape[block.shape.size() - 2])
    throw Error(Category::shape, where,
                fmt::format("{} needs a square matrix, but its shape is ({})", block.transform.text(),
                            fmt::join(block.shape, ", ")));
  const auto first = block.shape.end() - static_cast<std::ptrdiff_t>(order);
  return std::accumulate(first, block.shape.end(), Index{1}, std::multiplies<>());
}

}  // namespace

std::string entry_name(const ParameterBlock& block, Index entry) {
  if (block.shape.empty()) return block.name;
  Index total = std::accumulate(block.shape.begin(), block.shape.end(), Index{1}, std::multiplies<>());
  std::vector<Index> place;
  for (const Index length : block.shape) {
    total /= length;
    place.push_back(entry / total % length + 1);
  }
  return fmt::format("{}[{}]", block.name, fmt::join(place, ","));
}

ParameterLayout::ParameterLayout(std::vector<ParameterBlock> blocks) : blocks_(std::move(blocks)) {
  std::set<std::string> names;
  for (std::size_t b = 0; b < blocks_.size(); ++b) {
    if (blocks_[b].name.empty()) throw Error(Category::input, "", fmt::format("parameter {} has no name", b));
    if (!names.insert(blocks_[b].name).second)
      throw Error(Category::input, "", fmt::format("two parameters have the name '{}'", blocks_[b].name),
                  "give each parameter a name of its own");
    append(b);
  }
}

void ParameterLayout::append(std::size_t b) {
  const ParameterBlock& block = blocks_[b];
  const Index size = value_size(block);
  const Index total = std::accumulate(block.shape.begin(), block.shape.end(), Index{1}, std::multiplies<>());
  const Index piece = block.transform.order() == 0 ? total : size;
  const Index u_piece = block.transform.unconstrained_size(piece);
  constrained_offsets_.push_back(constrained_size_);
  for (Index done = 0; done < total; done += piece) {
    pieces_.push_back({block.transform, static_cast<std::size_t>(dimension_), static_cast<std::size_t>(u_piece),
                       static_cast<std::size_t>(constrained_size_), static_cast<std::size_t>(piece), b});
    dimension_ += u_piece;
    constrained_size_ += piece;
  }
}

Index ParameterLayout::constrained_offset(Index block) const {
  return constrained_offsets_[static_cast<std::size_t>(block)];
}

double ParameterLayout::constrain(std::span<const double> u, std::span<double> theta) const {
  TEMPERA_EXPECTS(std::ssize(u) == dimension_ && std::ssize(theta) == constrained_size_);
  double log_jacobian = 0;
  for (const Piece& piece : pieces_)
    log_jacobian += piece.transform.constrain(u.subspan(piece.u_offset, piece.u_size),
                                              theta.subspan(piece.theta_offset, piece.theta_size));
  return log_jacobian;
}

void ParameterLayout::unconstrain(std::span<const double> theta, std::span<double> u) const {
  TEMPERA_EXPECTS(std::ssize(u) == dimension_ && std::ssize(theta) == constrained_size_);
  for (const Piece& piece : pieces_) {
    const auto values = theta.subspan(piece.theta_offset, piece.theta_size);
    const auto coordinates = u.subspan(piece.u_offset, piece.u_size);
    piece.transform.unconstrain(values, coordinates);
    // The map back notices what the inverse does not look at, such as entries of a simplex that do not sum to one.
    std::vector<double> back(piece.theta_size);
    piece.transform.constrain(coordinates, back);
    const bool finite =
        std::all_of(coordinates.begin(), coordinates.end(), [](double value) { return std::isfinite(value); });
    const bool same = std::equal(back.begin(), back.end(), values.begin(), [](double a, double b) {
      return std::abs(a - b) <= kSupportTolerance * (1 + std::abs(b));
    });
    if (!finite || !same)
      throw Error(Category::input, fmt::format("parameter {}", blocks_[piece.block].name),
                  fmt::format("({:.6g}) lies outside its support: {}", fmt::join(values, ", "), piece.transform.text()),
                  "values on the boundary have no unconstrained coordinates either");
  }
}

bool ParameterLayout::unconstrain_draw(std::span<const double> theta, RandomStream& stream, std::span<double> u) const {
  TEMPERA_EXPECTS(std::ssize(u) == dimension_ && std::ssize(theta) == constrained_size_);
  for (const Piece& piece : pieces_) {
    const auto coordinates = u.subspan(piece.u_offset, piece.u_size);
    piece.transform.unconstrain(theta.subspan(piece.theta_offset, piece.theta_size), coordinates);
    if (piece.transform.kind() != Transform::Kind::unit_vector) continue;
    // The length of a vector of K standard normals: its square is twice a gamma of shape K/2.
    const double length = std::sqrt(stream.gamma(static_cast<double>(piece.u_size) / 2, 2));
    for (double& value : coordinates) value *= length;
  }
  return std::all_of(u.begin(), u.end(), [](double value) { return std::isfinite(value); });
}

void ParameterLayout::pull_back(std::span<const double> u, std::span<const double> theta,
                                std::span<const double> theta_gradient, std::span<double> u_gradient) const {
  TEMPERA_EXPECTS(std::ssize(u_gradient) == dimension_ && std::ssize(theta_gradient) == constrained_size_);
  for (const Piece& piece : pieces_)
    piece.transform.pull_back(
        u.subspan(piece.u_offset, piece.u_size), theta.subspan(piece.theta_offset, piece.theta_size),
        theta_gradient.subspan(piece.theta_offset, piece.theta_size), u_gradient.subspan(piece.u_offset, piece.u_size));
}

void ParameterLayout::add_jacobian_gradient(std::span<const double> u, std::span<const double> theta,
                                            std::span<double> u_gradient) const {
  for (const Piece& piece : pieces_)
    piece.transform.add_jacobian_gradient(u.subspan(piece.u_offset, piece.u_size),
                                          theta.subspan(piece.theta_offset, piece.theta_size),
                                          u_gradient.subspan(piece.u_offset, piece.u_size));
}

}  // namespace tempera
