// Which of the factors that say the same of a tensor stands for all of them.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/sampling/cp_model.hpp"

namespace tempera {

/// Signs come in pairs: a column that is turned turns that of the last mode too.
void CpModel::turn_columns(std::span<double> theta) const {
  const auto rank = static_cast<std::size_t>(options_.rank);
  const auto column = [&](std::size_t mode, std::size_t r, auto visit) {
    for (auto k = static_cast<std::size_t>(offsets_[mode]) + r; k < static_cast<std::size_t>(offsets_[mode + 1]);
         k += rank)
      visit(theta[k]);
  };
  const auto turn = [](double& entry) { entry = -entry; };
  for (std::size_t r = 0; r < rank; ++r)
    for (std::size_t mode = 0; mode + 1 < factors_.size(); ++mode) {
      double sum = 0;
      column(mode, r, [&](double entry) { sum += entry * std::abs(entry); });
      if (sum >= 0) continue;
      column(mode, r, turn);
      column(factors_.size() - 1, r, turn);
    }
}

void CpModel::choose_representative(std::span<double> theta) const {
  const auto rank = static_cast<std::size_t>(options_.rank);
  if (gaussian()) turn_columns(theta);
  std::vector<double> sizes(rank, 0.0);  // logarithms: products of many modes may overflow
  for (std::size_t mode = 0; mode < factors_.size(); ++mode) {
    std::vector<double> sums(rank, 0.0);
    const auto factor = factor_of(theta, mode);
    for (std::size_t k = 0; k < factor.size(); ++k) sums[k % rank] += gaussian() ? factor[k] * factor[k] : factor[k];
    for (std::size_t r = 0; r < rank; ++r) sizes[r] += std::log(sums[r]);
  }
  std::vector<std::size_t> order(rank);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  std::vector<double> row(rank);
  for (auto first = theta.begin(); first != theta.begin() + offsets_.back(); first += options_.rank) {
    std::copy_n(first, rank, row.begin());
    for (std::size_t r = 0; r < rank; ++r) first[static_cast<std::ptrdiff_t>(r)] = row[order[r]];
  }
}

}  // namespace tempera
