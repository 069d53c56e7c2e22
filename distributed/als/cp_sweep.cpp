#include "distributed/als/cp_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.hpp"
#include "core/factorization/hals.hpp"
#include "core/factorization/initial_factors.hpp"
#include "core/factorization/normal_equations.hpp"
#include "distributed/als/cp_fit.hpp"

namespace tempera {

namespace {

Constraint constraint_of(const CpOptions& options, int mode) {
  return options.constraints.empty() ? Constraint::none : options.constraints[static_cast<std::size_t>(mode)];
}

}  // namespace

CpSweep::CpSweep(const DistributedTensor& tensor, const CpOptions& options)
    : CpMethod(tensor, options.rank), options_(options) {
  Index longest = 0;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    grams_.emplace_back(options.rank);
    longest = std::max(longest, tensor.rows(mode).rows());
  }
  product_ = FactorMatrix(longest, options.rank);
}

FactorMatrix CpSweep::take_owned_factor(int mode) {
  product_ = FactorMatrix();
  return CpMethod::take_owned_factor(mode);
}

void CpSweep::start(int restart) {
  damped_ = pseudo_inverse_ = false;
  fit_ = fit_resolution_ = 0;
  relative_error_ = 1;
  weights_.assign(static_cast<std::size_t>(options_.rank), 1.0);
  const Communicator& ranks = tensor_.grid().active_ranks();
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    const RowLayout& layout = tensor_.rows(mode);
    random_start(factors_[m], layout.global_rows, options_.seed, restart, mode);
    grams_[m] = gram(factors_[m], layout.owned_begin, layout.owned_count);
    ranks.all_reduce(std::span<double>(grams_[m].values), Reduction::sum);
    std::vector<double> norms;
    for (Index r = 0; r < options_.rank; ++r) norms.push_back(std::sqrt(grams_[m](r, r)));
    normalise(mode, norms);
  }
}

void CpSweep::restore(const CpStart& start, const CheckpointReader& checkpoint) {
  if (start.grams.size() != grams_.size())
    throw Error(Category::input, "", "the checkpoint holds a model of another order",
                "it was written for another tensor or --rank");
  weights_ = start.weights;
  fit_ = start.fit;
  relative_error_ = start.relative_error;
  fit_resolution_ = start.fit_resolution;
  damped_ = start.damped;
  pseudo_inverse_ = start.pseudo_inverse;
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    grams_[m].values = start.grams[m];
    checkpoint.rows(fmt::format("/factors/{}", mode), tensor_.rows(mode).global_rows, factors_[m]);
  }
}

void CpSweep::describe(CpStart& start) const {
  start.weights = weights_;
  start.fit = fit_;
  start.relative_error = relative_error_;
  start.fit_resolution = fit_resolution_;
  start.damped = damped_;
  start.pseudo_inverse = pseudo_inverse_;
  start.grams.resize(grams_.size());
  for (std::size_t m = 0; m < grams_.size(); ++m) start.grams[m] = grams_[m].values;
}

StepWish CpSweep::sweep(StepWish wish) {
  const Communicator& ranks = tensor_.grid().active_ranks();
  RegionTable& regions = ranks.regions();
  const auto whole = regions.open("sweep");
  StepWish agreed;
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    const RowExchange& exchange = tensor_.exchange(mode);
    const RowLayout& layout = exchange.layout();
    {
      const auto region = regions.open("mttkrp");
      product_.set_rows(layout.rows());
      tensor_.mttkrp(factors_, mode, product_);
      impute_held(mode);
    }
    {
      const auto region = regions.open("reduce rows");
      exchange.reduce_to_owners(product_);
    }
    const GramMatrix h = hadamard(grams_, mode);
    std::vector<double> message;
    {
      const auto region = regions.open("update");
      update_rows(mode, h);
      message = gram(factors_[m], layout.owned_begin, layout.owned_count).values;
      double inner = 0;
      for (Index i = layout.owned_begin; i < layout.owned_begin + layout.owned_count; ++i)
        inner += std::inner_product(product_.row(i), product_.row(i) + options_.rank, factors_[m].row(i), 0.0);
      message.push_back(inner);
      message.insert(message.end(), {wish.save ? 1.0 : 0.0, wish.stop ? 1.0 : 0.0});
    }
    {
      const auto region = regions.open("gram");
      ranks.all_reduce(std::span<double>(message), Reduction::sum);
    }
    agreed = {message[message.size() - 2] > 0, message.back() > 0};
    const double inner_product = message[message.size() - 3];
    std::copy_n(message.begin(), grams_[m].values.size(), grams_[m].values.begin());
    std::vector<double> norms;
    for (Index r = 0; r < options_.rank; ++r) norms.push_back(std::sqrt(std::max(0.0, grams_[m](r, r))));
    double model_squared = 0;
    for (std::size_t k = 0; k < h.values.size(); ++k) model_squared += h.values[k] * grams_[m].values[k];
    normalise(mode, norms);
    weights_ = norms;
    {
      const auto region = regions.open("share rows");
      exchange.share_with_ghosts(factors_[m]);
    }
    if (mode + 1 == tensor_.order()) update_fit(inner_product, model_squared);
  }
  return agreed;
}

void CpSweep::update_rows(int mode, const GramMatrix& h) {
  const auto m = static_cast<std::size_t>(mode);
  const RowLayout& layout = tensor_.rows(mode);
  const Index first = layout.owned_begin, count = layout.owned_count;
  FactorMatrix& u = factors_[m];
  if (constraint_of(options_, mode) == Constraint::nonnegative) {
    // The factor stands with unit columns; HALS goes on from the scaled one.
    for (Index i = first; i < first + count; ++i)
      for (Index r = 0; r < options_.rank; ++r) u(i, r) *= weights_[static_cast<std::size_t>(r)];
    hals_update(h, product_, u, first, count);
    return;
  }
  const NormalEquations equations(h);
  damped_ = damped_ || equations.method() == NormalEquations::Method::damped_cholesky;
  pseudo_inverse_ = pseudo_inverse_ || equations.method() == NormalEquations::Method::pseudo_inverse;
  for (Index i = first; i < first + count; ++i) std::copy_n(product_.row(i), u.stride(), u.row(i));
  equations.solve(u, first, count);
}

/// Divides the owned columns (and the Gram matrix) by their norms; a zero column stays zero.
void CpSweep::normalise(int mode, std::span<const double> norms) {
  const auto m = static_cast<std::size_t>(mode);
  std::vector<double> scale;
  for (double norm : norms) scale.push_back(norm > 0 ? 1 / norm : 0.0);
  // All local rows: after a start the ghosts hold values too; in a sweep they are overwritten by share_with_ghosts.
  for (Index i = 0; i < factors_[m].rows(); ++i)
    for (Index r = 0; r < options_.rank; ++r) factors_[m](i, r) *= scale[static_cast<std::size_t>(r)];
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
}

}  // namespace tempera
