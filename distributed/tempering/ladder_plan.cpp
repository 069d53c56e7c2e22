#include "distributed/tempering/ladder_plan.hpp"

#include <algorithm>

#include "core/base/contract.hpp"
#include "core/sampling/schedule.hpp"

namespace tempera {

namespace {

std::vector<double> joined(std::vector<std::vector<double>> legs) {
  std::vector<double> betas = std::move(legs[0]);
  if (legs.size() == 2) betas.insert(betas.end(), legs[1].rbegin(), legs[1].rend());
  return betas;
}

std::vector<double> even(std::span<const Index> sizes) {
  if (sizes.size() == 1 && sizes[0] == 1) return {1.0};
  std::vector<std::vector<double>> legs;
  for (const Index size : sizes) legs.push_back(even_schedule(size));
  return joined(std::move(legs));
}

}  // namespace

LadderPlan::LadderPlan(std::vector<Index> sizes) : sizes_(std::move(sizes)) {
  TEMPERA_EXPECTS(sizes_.size() == 1 || sizes_.size() == 2);
  for ([[maybe_unused]] const Index size : sizes_) TEMPERA_EXPECTS(size >= (sizes_.size() == 2 ? 2 : 1));
  betas_ = even(sizes_);
}

LadderPlan::LadderPlan(std::vector<Index> sizes, std::vector<double> betas)
    : sizes_(std::move(sizes)), betas_(std::move(betas)) {}

std::vector<double> LadderPlan::leg_betas(int leg) const {
  const auto begin = betas_.begin() + first(leg);
  std::vector<double> betas(begin, begin + size(leg));
  if (leg == 1) std::reverse(betas.begin(), betas.end());
  return betas;
}

LadderPlan LadderPlan::recut(std::span<const double> rejections, std::vector<Index> sizes) const {
  TEMPERA_EXPECTS(std::ssize(rejections) == chains() - 1);
  if (chains() == 1 && sizes[0] == 1) return *this;
  std::vector<std::vector<double>> cut;
  for (int k = 0; k < legs(); ++k) {
    const auto pairs = rejections.subspan(static_cast<std::size_t>(first(k)), static_cast<std::size_t>(size(k) - 1));
    std::vector<double> own(pairs.begin(), pairs.end());
    if (k == 1) std::reverse(own.begin(), own.end());
    cut.push_back(equal_rejection_schedule(leg_betas(k), own, sizes[static_cast<std::size_t>(k)]));
  }
  std::vector<double> betas = joined(std::move(cut));
  return {std::move(sizes), std::move(betas)};
}

}  // namespace tempera
