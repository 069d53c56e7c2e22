#include "distributed/als/cp_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "distributed/als/cp_health.hpp"

namespace tempera {

namespace {

constexpr int kQuietSweeps = 2;
constexpr int kLeastSweeps = 3;

std::string part(const char* group, int mode) {
  return fmt::format("/{}/{}", group, mode);
}

}  // namespace

bool start_is_over(const CpStart& start, const CpOptions& options) {
  return start.iteration >= options.iterations || (start.quiet >= kQuietSweeps && start.iteration >= kLeastSweeps);
}

Advance advance(CpMethod& method, CpStart& start, const CpOptions& options, StepWish wish) {
  method.prepare({wants_watching(start), in_swamp(start)});
  const StepWish agreed = method.sweep(wish);
  ++start.iteration;
  const double before = method.score(start);
  method.describe(start);
  const double change = method.score(start) - before;
  if (!method.undone()) note_sweep(start, change);
  if (!method.undone()) start.quiet = std::abs(change) < options.tolerance ? start.quiet + 1 : 0;
  return {{start.restart, start.iteration, start.fit, change, start.objective, method.deviance(start)}, agreed};
}

CpRun::CpRun(const DistributedTensor& tensor, const CpOptions& options, const CpObserver& observer, CpMethod& method)
    : tensor_(tensor), ranks_(tensor.grid().active_ranks()), options_(options), observer_(observer), sweep_(method) {}

void CpRun::run(const CheckpointReader* reader, CpResult& result) {
  if (reader != nullptr)
    restore(*reader);
  else
    begin_start(0);
  // While a start is under way only those before it have ended, unless it is one that goes on.
  const bool ended_before = std::ssize(state_.restart_fits) > state_.current.restart;
  extending_ = state_.finished ? !start_is_over(state_.current, options_) : ended_before;
  if (!state_.finished || extending_) {
    state_.finished = false;
    for (;;) {
      if (!sweep_to_the_end()) return report(result, true);
      end_start();
      if (is_last_start()) break;
      begin_start(state_.current.restart + 1);
    }
    end_run();
  }
  report(result, false);
}

void CpRun::begin_start(int restart) {
  sweep_.start(restart);
  state_.current = {};
  sweep_.describe(state_.current);
  state_.current.restart = restart;
}

StepWish CpRun::before_step() const {
  StepWish wish;
  if (observer_.checkpoints != nullptr) wish = observer_.checkpoints->before_step(ranks_);
  if (observer_.stop && observer_.stop()) wish.stop = true;
  return wish;
}

bool CpRun::sweep_to_the_end() {
  CpStart& start = state_.current;
  while (!start_is_over(start, options_)) {
    const auto [step, agreed] = advance(sweep_, start, options_, before_step());
    if (observer_.progress) observer_.progress(step);
    const bool over = start_is_over(start, options_) && is_last_start();
    if (observer_.checkpoints != nullptr && (agreed.stop || (agreed.save && !over)))
      observer_.checkpoints->save(ranks_, [&](CheckpointWriter& writer) { save_parts(writer); });
    if (agreed.stop) return false;
  }
  start.holdout_sums = sweep_.holdout_sums();
  return true;
}

void CpRun::end_start() {
  const CpStart& start = state_.current;
  state_.damped = state_.damped || start.damped;
  state_.pseudo_inverse = state_.pseudo_inverse || start.pseudo_inverse;
  if (extending_) {
    state_.restart_fits[static_cast<std::size_t>(start.restart)] = start.fit;
    state_.restart_deviances.resize(state_.restart_fits.size());
    state_.restart_deviances[static_cast<std::size_t>(start.restart)] = start.deviance;
    return;
  }
  state_.restart_fits.push_back(start.fit);
  state_.restart_deviances.push_back(start.deviance);
  if (state_.has_best && sweep_.score(start) <= sweep_.score(state_.best)) return;
  state_.has_best = true;
  state_.best = start;
  best_.clear();
  if (is_last_start()) return;  // it stays in the sweep
  for (int mode = 0; mode < tensor_.order(); ++mode) best_.push_back(sweep_.held_factor(mode));
}

void CpRun::end_run() {
  state_.current = state_.best.iteration > 0 && !extending_ ? state_.best : state_.current;
  state_.has_best = false;
  state_.best = {};
  state_.finished = true;
  if (!best_.empty()) state_.current.momentum = 0;  // what it came from is gone
  if (observer_.checkpoints != nullptr)
    observer_.checkpoints->save_end(ranks_, [&](CheckpointWriter& writer) { save_parts(writer); });
}

/// Of a finished run the kept model counts as the one at hand, wherever it lies.
void CpRun::save_parts(CheckpointWriter& writer) {
  writer.object("cp", state_);
  const bool kept_elsewhere = state_.finished && !best_.empty();
  sweep_.save(writer, kept_elsewhere);
  for (int mode = 0; !best_.empty() && mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    writer.rows(part(kept_elsewhere ? "factors" : "best", mode), tensor_.shape()[m], sweep_.held_rows(mode), best_[m]);
  }
}

void CpRun::restore(const CheckpointReader& reader) {
  reader.object("cp", state_);
  if (std::ssize(state_.current.weights) != options_.rank)
    throw Error(Category::input, "", "the checkpoint holds a model of another rank",
                "it was written for another tensor or --rank");
  sweep_.restore(state_.current, reader);
  for (int mode = 0; state_.has_best && mode < tensor_.order(); ++mode) {
    const std::span<const Index> rows = sweep_.held_rows(mode);
    FactorMatrix& factor = best_.emplace_back(std::ssize(rows), options_.rank);
    reader.rows(part("best", mode), rows, factor);
  }
}

void report_start(const DistributedTensor& tensor, const CpMethod& method, const CpStart& kept, bool requested,
                  CpResult& result) {
  result.fit = kept.fit;
  result.relative_error = kept.relative_error;
  result.fit_resolution = kept.fit_resolution;
  result.deviance = method.deviance(kept);
  if (!result.deviance) result.restart_deviances.clear();
  result.kkt_violation = kept.kkt_violation;
  result.holdout = holdout_score(tensor.holdout().strata, kept.holdout_sums);
  result.iterations = kept.iteration;
  result.converged = kept.quiet >= kQuietSweeps && kept.iteration >= kLeastSweeps;
  result.stopped = requested          ? StopReason::requested
                   : result.converged ? StopReason::tolerance
                                      : StopReason::iterations;
  result.best_restart = kept.restart;
  result.weights = kept.weights;
  result.objective = kept.objective;
  result.health = health_of(kept);
  if (tensor.only_observed()) result.health.conditions.clear();  // each row has normal equations of its own
  for (std::size_t r = 0; r < kept.weights.size(); ++r) {
    const std::size_t diagonal = r * (kept.weights.size() + 1);
    const bool vanished = std::any_of(kept.grams.begin(), kept.grams.end(),
                                      [&](const std::vector<double>& own) { return own[diagonal] == 0; });
    if (vanished || kept.weights[r] == 0) ++result.dead_components;
  }
}

void note_solves(const SolveHealth& solves, CpResult& result) {
  if (solves.pseudo_inverse)
    result.notes.push_back(
        "a mode's normal equations were singular: solved by a pseudo-inverse (the rank may be too high)");
  else if (solves.damped)
    result.notes.push_back(
        "a mode's normal equations were nearly singular: their diagonal was damped by 1e-12 to 1e-10 of its mean");
}

void CpRun::report(CpResult& result, bool requested) {
  result.restart_fits = state_.restart_fits;
  // Stopped in mid-start: that start counts as it stands.
  const bool current_is_best = !state_.has_best || sweep_.score(state_.current) > sweep_.score(state_.best);
  result.restart_deviances = state_.restart_deviances;
  if (requested && state_.restart_fits.size() == static_cast<std::size_t>(state_.current.restart)) {
    result.restart_fits.push_back(state_.current.fit);
    result.restart_deviances.push_back(state_.current.deviance);
  }
  const bool from_copy = !best_.empty() && (state_.finished || !current_is_best);
  const CpStart& kept = !state_.finished && !current_is_best ? state_.best : state_.current;
  report_start(tensor_, sweep_, kept, requested, result);
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const std::span<const Index> rows = sweep_.held_rows(mode);
    result.rows[static_cast<std::size_t>(mode)].assign(rows.begin(), rows.end());
    result.factors.push_back(from_copy ? std::move(best_[static_cast<std::size_t>(mode)])
                                       : sweep_.take_held_factor(mode));
  }
  if (extending_ && options_.restarts > 1)
    result.notes.push_back("extended: of several starts only the one that was kept went on");
  note_solves({state_.damped || state_.current.damped, state_.pseudo_inverse || state_.current.pseudo_inverse}, result);
}

}  // namespace tempera
