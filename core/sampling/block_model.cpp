#include "core/sampling/block_model.hpp"

#include "core/base/contract.hpp"

namespace tempera {

double BlockModel::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  TEMPERA_EXPECTS(first_block() == 0 && end_block() == blocks());
  const bool wanted = !gradient.empty();
  values_.resize(static_cast<std::size_t>(piece_sizes(*this, 0, blocks(), wanted)));
  compute_pieces(theta, wanted, values_);
  pieces_.clear();
  std::size_t at = 0;
  for (Index block = 0; block < blocks(); ++block) {
    const auto size = static_cast<std::size_t>(piece_size(block, wanted));
    pieces_.push_back(std::span<const double>(values_).subspan(at, size));
    at += size;
  }
  return combine(theta, pieces_, gradient);
}

Index piece_sizes(const BlockModel& model, Index first, Index end, bool gradient) {
  Index sum = 0;
  for (Index block = first; block < end; ++block) sum += model.piece_size(block, gradient);
  return sum;
}

double tree_sum(std::span<const double> values) {
  if (values.empty()) return 0;
  if (values.size() == 1) return values.front();
  const std::size_t half = values.size() / 2;
  return tree_sum(values.first(half)) + tree_sum(values.subspan(half));
}

}  // namespace tempera
