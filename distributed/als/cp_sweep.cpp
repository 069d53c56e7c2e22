#include "distributed/als/cp_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.hpp"
#include "core/factorization/bpp.hpp"
#include "distributed/als/cp_fit.hpp"
#include "distributed/als/start_values.hpp"

namespace tempera {

CpSweep::CpSweep(const DistributedTensor& tensor, const CpOptions& options)
    : CpMethod(tensor, options.rank), options_(options), scale_(scale_of(options.constraints)) {
  Index longest = 0;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    updates_.emplace_back(tensor.grid().active_ranks(), tensor.rows(mode), tensor.shape()[m], options.rank,
                          options.constraints[m], options.solver, tensor.threads());
    unseen_.emplace_back(rows_of_unseen(m), options.rank);
    grams_.emplace_back(options.rank);
    longest = std::max(longest, tensor.rows(mode).rows());
  }
  product_ = FactorMatrix(longest, options.rank);
  products_ = tensor.sweep_products(options.rank);
  penalties_.resize(factors_.size());
  figures_.assign(factors_.size(), std::vector<ColumnFigures>(static_cast<std::size_t>(options.rank)));
}

Index CpSweep::rows_of_unseen(std::size_t mode) const {
  return std::ssize(updates_[mode].held().unseen_rows());
}

/// Columns of unit length, the weights beside them.
bool CpSweep::keeps_unit_columns(int mode) const {
  return updates_[static_cast<std::size_t>(mode)].constraint().is_cone();
}

FactorMatrix CpSweep::held_factor(int mode) const {
  const auto m = static_cast<std::size_t>(mode);
  return updates_[m].held().gather(factors_[m], unseen_[m]);
}

FactorMatrix CpSweep::take_held_factor(int mode) {
  const auto m = static_cast<std::size_t>(mode);
  product_ = FactorMatrix();
  if (tensor_.rows(mode).owned_count == factors_[m].rows() && unseen_[m].rows() == 0) return std::move(factors_[m]);
  FactorMatrix held = held_factor(mode);
  factors_[m] = FactorMatrix();
  return held;
}

void CpSweep::start(int restart) {
  health_ = {};
  movement_ = 0;
  fresh_ = true;
  fit_ = fit_resolution_ = objective_ = 0;
  relative_error_ = 1;
  momentum_ = 0;
  weights_.assign(static_cast<std::size_t>(options_.rank), 1.0);
  const bool given = options_.init == CpInit::given && restart == 0;
  std::vector<double> share;
  if (given && scale_ == ComponentScale::held)
    share = share_of_given_weights(options_, tensor_.order());
  else if (given)
    weights_ = options_.given->weights();
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    const Constraint& constraint = updates_[m].constraint();
    fill_start(tensor_, options_, constraint, restart, mode,
               {factors_[m], unseen_[m], updates_[m].held().unseen_rows()});
    if (!share.empty()) scale_columns(factors_[m], share, tensor_.threads());
    if (!share.empty()) scale_columns(unseen_[m], share, tensor_.threads());
    updates_[m].begin();
    if (updates_[m].make_feasible(factors_[m], unseen_[m])) tensor_.exchange(mode).share_with_ghosts(factors_[m]);
  }
  compute_grams(given);
}

/// Gram matrices of all modes anew, and unit columns where the mode keeps them; the weights take their norms if asked.
void CpSweep::compute_grams(bool keep_scale) {
  all_moved();
  const Communicator& ranks = tensor_.grid().active_ranks();
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    const RowLayout& layout = tensor_.rows(mode);
    grams_[m] = gram(factors_[m], layout.owned_begin, layout.owned_count);
    const GramMatrix rest = gram(unseen_[m], 0, unseen_[m].rows());
    for (std::size_t k = 0; k < rest.values.size(); ++k) grams_[m].values[k] += rest.values[k];
    ranks.all_reduce(std::span<double>(grams_[m].values), Reduction::sum);
    if (!keeps_unit_columns(mode)) continue;
    const std::vector<double> norms = norms_of(mode);
    for (std::size_t r = 0; keep_scale && r < norms.size(); ++r) weights_[r] *= norms[r];
    normalise(mode, norms);
  }
}

std::vector<double> CpSweep::norms_of(int mode) const {
  const GramMatrix& own = grams_[static_cast<std::size_t>(mode)];
  std::vector<double> norms;
  for (Index r = 0; r < options_.rank; ++r) norms.push_back(std::sqrt(std::max(0.0, own(r, r))));
  return norms;
}

StepWish CpSweep::sweep(StepWish wish) {
  RegionTable& regions = tensor_.grid().active_ranks().regions();
  const auto whole = regions.open("sweep");
  if (options_.extrapolation) extrapolate();
  if (care_.watch) movement_ = 0;
  StepWish agreed;
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    const RowExchange& exchange = tensor_.exchange(mode);
    multiply_and_reduce(mode);
    const GramMatrix h = hadamard(grams_, mode);
    RowSums rows(options_.rank);
    if (fresh_ && mode == 0 && !keeps_unit_columns(mode) && scale_ != ComponentScale::held) fit_first_weights(h);
    {
      const auto region = regions.open("update");
      if (care_.watch) remember_columns(mode);
      rows = update_rows(mode, h);
    }
    // The rows travel while their sums do; they are scaled where they arrive.
    std::unique_ptr<PendingRows> sharing;
    {
      const auto region = regions.open("share rows");
      sharing = exchange.begin_sharing(factors_[m]);
    }
    const ModeSums sums = sum_up(mode, rows, wish);
    agreed = sums.wish;
    GramMatrix components = h;
    for (std::size_t k = 0; k < h.values.size(); ++k) components.values[k] *= grams_[m].values[k];
    if (scale_ == ComponentScale::fitted) fit_weights(components, sums.inner);
    const std::vector<double> ones(weights_.size(), 1.0);
    const std::vector<double>& scale = keeps_unit_columns(mode) ? ones : weights_;
    double inner_product = 0, model_squared = 0;
    for (Index j = 0; j < options_.rank; ++j) {
      const double own = scale[static_cast<std::size_t>(j)];
      inner_product += own * sums.inner[static_cast<std::size_t>(j)];
      for (Index i = 0; i < options_.rank; ++i)
        model_squared += scale[static_cast<std::size_t>(i)] * own * components(i, j);
    }
    {
      const auto region = regions.open("share rows");
      sharing->finish();
    }
    if (keeps_unit_columns(mode)) {
      weights_ = norms_of(mode);
      normalise(mode, weights_);
    }
    moved(mode);
    if (mode + 1 == tensor_.order()) update_fit(inner_product, model_squared);
  }
  if (care_.watch) movement_ = std::sqrt(movement_ / tensor_.order());
  fresh_ = false;
  balance_scales();
  if (options_.extrapolation) undo_if_worse();
  return agreed;
}

/// MTTKRP, summed at the owners. Rows that go to other ranks are computed first and travel while the others are.
void CpSweep::multiply_and_reduce(int mode) {
  RegionTable& regions = tensor_.grid().active_ranks().regions();
  const RowExchange& exchange = tensor_.exchange(mode);
  std::unique_ptr<PendingRows> reduction;
  const auto begin = [&] {
    const auto region = regions.open("reduce rows");
    reduction = exchange.begin_reduction(product_);
  };
  {
    const auto region = regions.open("mttkrp");
    product_.set_rows(exchange.layout().rows());
    const RowProgress progress{exchange.layout().owned_count, begin, [&] { reduction->advance(); }};
    // Cells kept apart add to all rows afterwards.
    const bool early = exchange.ranks() > 1 && tensor_.holdout().empty();
    products_->mttkrp(factors_, versions_, mode, product_, early ? &progress : nullptr);
    impute_held(mode);
  }
  if (!reduction) begin();
  const auto region = regions.open("reduce rows");
  reduction->finish();
}

/// Returns the sums over the owned rows.
RowSums CpSweep::update_rows(int mode, const GramMatrix& h) {
  const auto m = static_cast<std::size_t>(mode);
  RowSums sums(options_.rank);
  if (!keeps_unit_columns(mode)) {
    const std::span<const double> weights =
        scale_ == ComponentScale::held ? std::span<const double>() : std::span<const double>(weights_);
    updates_[m].update(h, product_, weights, factors_[m], unseen_[m], health_, sums);
    return sums;
  }
  // The factor stands with unit columns; iterative solvers go on from the scaled one.
  if (!updates_[m].forgets()) {
    scale_columns(factors_[m], weights_, tensor_.threads());
    scale_columns(unseen_[m], weights_, tensor_.threads());
  }
  updates_[m].update(h, product_, {}, factors_[m], unseen_[m], health_, sums);
  return sums;
}

/// Everything that has to be added over the ranks after the update of a mode, in one message.
CpSweep::ModeSums CpSweep::sum_up(int mode, const RowSums& rows, StepWish wish) {
  const auto m = static_cast<std::size_t>(mode);
  const Communicator& ranks = tensor_.grid().active_ranks();
  const RowLayout& layout = tensor_.rows(mode);
  const Constraint& constraint = updates_[m].constraint();
  const auto rank = static_cast<std::size_t>(options_.rank);
  std::vector<double> message = rows.gram.values;
  const GramMatrix rest = gram(unseen_[m], 0, unseen_[m].rows());
  for (std::size_t k = 0; k < rest.values.size(); ++k) message[k] += rest.values[k];
  const std::size_t at = message.size();
  message.insert(message.end(), rows.inner.begin(), rows.inner.end());
  message.insert(message.end(), {wish.save ? 1.0 : 0.0, wish.stop ? 1.0 : 0.0});
  if (constraint.l1 > 0) {
    const auto add = [&](const FactorMatrix& factor, Index first, Index count) {
      for (Index i = first; i < first + count; ++i)
        for (std::size_t r = 0; r < rank; ++r) message[at + rank + 2 + r] += std::abs(factor.row(i)[r]);
    };
    message.resize(message.size() + rank);
    add(factors_[m], layout.owned_begin, layout.owned_count);
    add(unseen_[m], 0, unseen_[m].rows());
  }
  const std::size_t watched = message.size();
  if (care_.watch && !fresh_) add_columns_kept(mode, message);
  {
    const auto region = ranks.regions().open("gram");
    ranks.all_reduce(std::span<double>(message), Reduction::sum);
  }
  std::copy_n(message.begin(), at, grams_[m].values.begin());
  if (care_.watch && !fresh_) note_movement(mode, std::span<const double>(message).subspan(watched, rank));
  ModeSums sums{
      {message.begin() + static_cast<std::ptrdiff_t>(at), message.begin() + static_cast<std::ptrdiff_t>(at + rank)},
      {message[at + rank] > 0, message[at + rank + 1] > 0}};
  if (scale_ != ComponentScale::held) return sums;
  const std::vector<double> roughness = updates_[m].roughness_of(factors_[m], unseen_[m]);
  for (std::size_t r = 0; r < rank; ++r) {
    const auto column = static_cast<Index>(r);
    figures_[m][r] = {constraint.l1 > 0 ? message[at + rank + 2 + r] : 0.0, grams_[m](column, column),
                      roughness.empty() ? 0.0 : roughness[r]};
  }
  penalties_[m] = penalty_of(mode);
  return sums;
}

/// The best nonnegative weights of the components as they are. Decided on one rank: it is a small exact solve.
void CpSweep::fit_weights(const GramMatrix& components, std::span<const double> inner) {
  FactorMatrix target(1, options_.rank), weights(1, options_.rank);
  std::copy(inner.begin(), inner.end(), target.row(0));
  std::copy(weights_.begin(), weights_.end(), weights.row(0));
  bpp_update(components, target, weights, 0, 1);
  std::copy_n(weights.row(0), options_.rank, weights_.begin());
  tensor_.grid().active_ranks().broadcast(std::span<double>(weights_), 0);
}

/// A first mode of fixed scale needs weights before any mode could give them.
void CpSweep::fit_first_weights(const GramMatrix& h) {
  const RowLayout& layout = tensor_.rows(0);
  RowSums rows(options_.rank);
  add_row_sums(product_, factors_.front(), layout.owned_begin, layout.owned_count, rows, tensor_.threads());
  const ModeSums sums = sum_up(0, rows, {});
  GramMatrix components = h;
  for (std::size_t k = 0; k < h.values.size(); ++k) components.values[k] *= grams_[0].values[k];
  fit_weights(components, sums.inner);
}

/// Divides the owned columns (and the Gram matrix) by their norms; a zero column stays zero.
void CpSweep::normalise(int mode, std::span<const double> norms) {
  const auto m = static_cast<std::size_t>(mode);
  std::vector<double> scale;
  for (double norm : norms) scale.push_back(norm > 0 ? 1 / norm : 0.0);
  // All local rows: the ghosts are scaled where they are.
  scale_columns(factors_[m], scale, tensor_.threads());
  scale_columns(unseen_[m], scale, tensor_.threads());
  for (Index j = 0; j < options_.rank; ++j)
    for (Index i = 0; i < options_.rank; ++i)
      grams_[m](i, j) *= scale[static_cast<std::size_t>(i)] * scale[static_cast<std::size_t>(j)];
}

/// Cells that are kept apart count with what the model says of them (expectation–maximisation): the loss of the others
/// falls with that of all.
void CpSweep::impute_held(int mode) {
  if (tensor_.holdout().empty()) return;
  imputed_ = held_values();
  add_mttkrp(tensor_.holdout().cells, imputed_, factors_, mode, product_);
}

void CpSweep::update_fit(double inner_product, double model_squared) {
  if (!tensor_.holdout().empty()) {
    const std::vector<double> model = held_values();
    const double held = std::inner_product(model.begin(), model.end(), imputed_.begin(), 0.0);
    inner_product -= tensor_.grid().active_ranks().all_reduce_value(held, Reduction::sum);
  }
  const CpFit fit = fit_of(tensor_, factors_, weights_, inner_product, model_squared);
  relative_error_ = fit.relative_error;
  fit_ = 1 - relative_error_;
  fit_resolution_ = fit.resolution;
  objective_ = fit.residual_squared + std::accumulate(penalties_.begin(), penalties_.end(), 0.0);
}

}  // namespace tempera
