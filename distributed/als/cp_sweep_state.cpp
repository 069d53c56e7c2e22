#include <fmt/format.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "distributed/als/cp_sweep.hpp"

namespace tempera {

namespace {

std::string part(const char* group, int mode) {
  return fmt::format("/{}/{}", group, mode);
}

}  // namespace

void CpSweep::restore(const CpStart& start, const CheckpointReader& checkpoint) {
  all_moved();
  if (start.grams.size() != grams_.size())
    throw Error(Category::input, "", "the checkpoint holds a model of another order",
                "it was written for another tensor");
  weights_ = start.weights;
  fit_ = start.fit;
  relative_error_ = start.relative_error;
  fit_resolution_ = start.fit_resolution;
  objective_ = start.objective;
  momentum_ = start.momentum;
  movement_ = start.movement;
  health_ = {start.damped, start.pseudo_inverse};
  fresh_ = start.iteration == 0;
  const bool has_previous = options_.extrapolation && momentum_ > 0;
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    grams_[m].values = start.grams[m];
    const auto read = [&](const char* group, FactorMatrix& local, FactorMatrix& unseen) {
      checkpoint.rows(part(group, mode), tensor_.rows(mode).global_rows, local);
      checkpoint.rows(part(group, mode), updates_[m].held().unseen_rows(), unseen);
    };
    read("factors", factors_[m], unseen_[m]);
    if (updates_[m].uses_admm()) checkpoint.rows(part("dual", mode), held_rows(mode), updates_[m].dual());
    if (has_previous) {
      previous_.emplace_back(factors_[m].rows(), options_.rank);
      previous_unseen_.emplace_back(unseen_[m].rows(), options_.rank);
      read("previous", previous_[m], previous_unseen_[m]);
    }
  }
}

void CpSweep::describe(CpStart& start) const {
  start.weights = weights_;
  start.fit = fit_;
  start.relative_error = relative_error_;
  start.fit_resolution = fit_resolution_;
  start.objective = objective_;
  start.momentum = momentum_;
  start.movement = movement_;
  start.damped = health_.damped;
  start.pseudo_inverse = health_.pseudo_inverse;
  start.grams.resize(grams_.size());
  for (std::size_t m = 0; m < grams_.size(); ++m) start.grams[m] = grams_[m].values;
}

void CpSweep::save(CheckpointWriter& writer, bool without_factors) {
  saved_.clear();
  saved_.reserve(2 * factors_.size());
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    const RowLayout& layout = tensor_.rows(mode);
    const Index size = tensor_.shape()[m];
    // Owned rows lie side by side and need no copy; unseen ones have to be sorted in among them.
    const bool copies =
        tensor_.grid().active_ranks().all_reduce_value(unseen_[m].rows() > 0 ? 1 : 0, Reduction::maximum);
    const auto write = [&](const char* group, const FactorMatrix& local, const FactorMatrix& unseen) {
      if (!copies) return writer.rows(part(group, mode), size, layout.owned_rows(), local, layout.owned_begin);
      saved_.push_back(updates_[m].held().gather(local, unseen));
      writer.rows(part(group, mode), size, held_rows(mode), saved_.back());
    };
    if (!without_factors) write("factors", factors_[m], unseen_[m]);
    if (without_factors) updates_[m].begin();
    if (updates_[m].uses_admm()) writer.rows(part("dual", mode), size, held_rows(mode), updates_[m].dual());
    if (momentum_ > 0 && !without_factors) write("previous", previous_[m], previous_unseen_[m]);
  }
}

/// Begins the sweep beyond the factors, in the direction they came: U + β (U − U before), brought back to the allowed set.
/// β grows as in Nesterov's method while that pays.
void CpSweep::extrapolate() {
  undone_ = false;
  describe(before_);
  if (momentum_ == 0 || previous_.empty()) {
    previous_ = factors_;
    previous_unseen_ = unseen_;
    return;
  }
  const double beta = momentum_ / (momentum_ + 3.0);
  const auto step = [beta](FactorMatrix& now, FactorMatrix& before) {
    const std::span<double> ahead = now.storage(), behind = before.storage();
    for (std::size_t k = 0; k < ahead.size(); ++k) {
      const double value = ahead[k];
      ahead[k] += beta * (value - behind[k]);
      behind[k] = value;
    }
  };
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    step(factors_[m], previous_[m]);
    step(unseen_[m], previous_unseen_[m]);
    if (updates_[m].make_feasible(factors_[m], unseen_[m])) tensor_.exchange(mode).share_with_ghosts(factors_[m]);
  }
  compute_grams();
}

/// Back to where the sweep began if it did not pay; the next one then begins there.
void CpSweep::undo_if_worse() {
  if (momentum_ == 0 || objective_ <= before_.objective) {
    ++momentum_;
    return;
  }
  std::swap(factors_, previous_);
  std::swap(unseen_, previous_unseen_);
  all_moved();
  weights_ = before_.weights;
  fit_ = before_.fit;
  relative_error_ = before_.relative_error;
  fit_resolution_ = before_.fit_resolution;
  objective_ = before_.objective;
  for (std::size_t m = 0; m < grams_.size(); ++m) grams_[m].values = before_.grams[m];
  momentum_ = 0;
  undone_ = true;
}

}  // namespace tempera
