#include "distributed/als/cp_method.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tempera {

CpMethod::CpMethod(const DistributedTensor& tensor, Index rank)
    : tensor_(tensor), versions_(static_cast<std::size_t>(tensor.order()), 0) {
  for (int mode = 0; mode < tensor.order(); ++mode) factors_.emplace_back(tensor.rows(mode).rows(), rank);
}

std::vector<double> CpMethod::holdout_sums() const {
  const Holdout& holdout = tensor_.holdout();
  if (holdout.empty()) return {};
  std::vector<double> sums(2 * holdout.strata.size(), 0.0);
  const std::vector<double> model = held_values();
  for (std::size_t cell = 0; cell < model.size(); ++cell) {
    const double loss = cell_loss(holdout.cells.values[cell], model[cell]);
    const auto stratum = static_cast<std::size_t>(holdout.stratum[cell]);
    sums[2 * stratum] += loss;
    sums[2 * stratum + 1] += loss * loss;
  }
  tensor_.grid().active_ranks().all_reduce(std::span<double>(sums), Reduction::sum);
  return sums;
}

void CpMethod::save(CheckpointWriter& writer, bool without_factors) {
  for (int mode = 0; !without_factors && mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    const RowLayout& layout = tensor_.rows(mode);
    writer.rows(fmt::format("/factors/{}", mode), tensor_.shape()[m], layout.owned_rows(), factors_[m],
                layout.owned_begin);
  }
}

FactorMatrix CpMethod::held_factor(int mode) const {
  const RowLayout& layout = tensor_.rows(mode);
  const FactorMatrix& factor = factors_[static_cast<std::size_t>(mode)];
  FactorMatrix owned(layout.owned_count, factor.columns());
  std::copy_n(factor.data() + layout.owned_begin * factor.stride(), owned.storage().size(), owned.data());
  return owned;
}

FactorMatrix CpMethod::take_held_factor(int mode) {
  FactorMatrix& factor = factors_[static_cast<std::size_t>(mode)];
  if (tensor_.rows(mode).owned_count == factor.rows()) return std::move(factor);
  FactorMatrix owned = held_factor(mode);
  factor = FactorMatrix();
  return owned;
}

}  // namespace tempera
