#include "distributed/als/cp_starts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.hpp"
#include "distributed/als/cp_health.hpp"
#include "distributed/als/cp_run.hpp"
#include "distributed/communicator/objects.hpp"

namespace tempera {

namespace {

std::string folder_of(int start) {
  return fmt::format("/start{}", start);
}

/// What is told of a start that has ended.
CpStart figures_of(CpStart start) {
  start.grams.clear();
  start.weights.clear();
  start.recent_squares.clear();
  return start;
}

template <class T>
std::vector<T> joined(const std::vector<std::vector<T>>& parts) {
  std::vector<T> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

void sort_by_number(std::vector<CpStart>& starts) {
  std::sort(starts.begin(), starts.end(), [](const CpStart& a, const CpStart& b) { return a.restart < b.restart; });
}

}  // namespace

struct CpStarts::Note {
  int made = 0;  ///< a sweep
  CpStep step;
};

void run_starts(const DistributedTensor& tensor, const CpOptions& options, const CpObserver& observer,
                const MakeMethod& make_method, CpResult& result) {
  const Communicator& ranks = tensor.grid().active_ranks();
  std::optional<CheckpointReader> reader;
  if (observer.checkpoints != nullptr) reader = observer.checkpoints->restore(ranks);
  const int most = std::min(options.restarts, ranks.size());
  const int groups = options.group_tensor ? std::clamp(options.start_groups, 1, most) : 1;
  if (reader ? reader->has_object("starts") : groups > 1) {
    CpStarts(tensor, options, observer, make_method, groups).run(reader ? &*reader : nullptr, result);
    return;
  }
  const std::unique_ptr<CpMethod> method = make_method(tensor);
  CpRun(tensor, options, observer, *method).run(reader ? &*reader : nullptr, result);
}

CpStarts::CpStarts(const DistributedTensor& tensor, const CpOptions& options, const CpObserver& observer,
                   const MakeMethod& make_method, int groups)
    : tensor_(tensor),
      options_(options),
      observer_(observer),
      ranks_(tensor.grid().active_ranks()),
      groups_(groups),
      group_index_(ranks_.rank() * groups / ranks_.size()),
      group_(groups == 1 ? ranks_ : ranks_.split(group_index_, ranks_.rank())) {
  if (groups > 1) own_tensor_ = options.group_tensor(group_);
  const DistributedTensor& own = own_tensor_ ? *own_tensor_ : tensor_;
  if (own.active()) method_ = make_method(own);
}

void CpStarts::run(const CheckpointReader* reader, CpResult& result) {
  begin(reader);
  while (step()) {
  }
  report(result);
}

/// The starts that have not ended; those under way come first in their group.
void CpStarts::deal(const CpStartsState& state) {
  const auto is_in = [](const std::vector<CpStart>& starts, int number) {
    return std::any_of(starts.begin(), starts.end(), [&](const CpStart& one) { return one.restart == number; });
  };
  std::vector<int> open;
  for (int start = 0; start < options_.restarts; ++start)
    if (!is_in(state.ended, start)) open.push_back(start);
  std::stable_partition(open.begin(), open.end(), [&](int start) { return is_in(state.under_way, start); });
  const bool as_before = state.groups == groups_ && std::ssize(state.group_of) == options_.restarts;
  group_of_ = as_before ? state.group_of : std::vector<int>(static_cast<std::size_t>(options_.restarts), 0);
  for (std::size_t k = 0; k < open.size(); ++k) {
    int& group = group_of_[static_cast<std::size_t>(open[k])];
    if (!as_before) group = static_cast<int>(k) % groups_;
    if (group == group_index_) mine_.push_back(open[k]);
  }
}

/// Deals the starts that have not ended and takes up those under way.
void CpStarts::begin(const CheckpointReader* reader) {
  CpStartsState state;
  if (reader != nullptr) reader->object("starts", state);
  deal(state);
  if (group_index_ == 0) ended_ = state.ended;
  if (!method_) return;
  const auto check = [&](const CpStart& start) {
    if (std::ssize(start.weights) != options_.rank)
      throw Error(Category::input, "", "the checkpoint holds a model of another rank",
                  "it was written for another tensor or --rank");
  };
  if (group_index_ == 0 && state.has_best) {
    check(state.best);
    best_ = state.best;
    const CheckpointReader best = reader->within(method_->ranks(), "");
    for (int mode = 0; mode < tensor_.order(); ++mode) {
      const std::span<const Index> rows = method_->held_rows(mode);
      best.rows(fmt::format("/best/{}", mode), rows, best_factors_.emplace_back(std::ssize(rows), options_.rank));
    }
  }
  for (const CpStart& start : state.under_way)
    if (!mine_.empty() && start.restart == mine_.front()) {
      check(start);
      method_->restore(start, reader->within(method_->ranks(), folder_of(start.restart)));
      current_ = start;
      mine_.erase(mine_.begin());
      return;
    }
  begin_next();
}

void CpStarts::begin_next() {
  current_.reset();
  if (mine_.empty()) return;
  method_->start(mine_.front());
  current_.emplace();
  method_->describe(*current_);
  current_->restart = mine_.front();
  mine_.erase(mine_.begin());
}

CpStarts::Note CpStarts::sweep() {
  Note note;
  if (!method_ || !current_) return note;
  if (!start_is_over(*current_, options_)) {
    note.step = advance(*method_, *current_, options_, {}).step;
    note.made = leads() ? 1 : 0;
  }
  if (start_is_over(*current_, options_)) {
    end_start();
    begin_next();
  }
  return note;
}

void CpStarts::end_start() {
  current_->holdout_sums = method_->holdout_sums();
  if (group_.rank() == 0) ended_.push_back(figures_of(*current_));
  if (best_ && (method_->score(*current_) < method_->score(*best_) ||
                (method_->score(*current_) == method_->score(*best_) && current_->restart > best_->restart)))
    return;
  best_ = current_;
  best_factors_.clear();
  for (int mode = 0; mode < tensor_.order(); ++mode) best_factors_.push_back(method_->held_factor(mode));
}

bool CpStarts::step() {
  StepWish wish;
  if (observer_.checkpoints != nullptr) wish = observer_.checkpoints->before_step(ranks_);
  if (observer_.stop && observer_.stop()) wish.stop = true;
  const Note mine = sweep();
  int flags[] = {wish.save ? 1 : 0, wish.stop ? 1 : 0, current_ ? 1 : 0};
  ranks_.all_reduce(std::span<int>(flags), Reduction::maximum);
  const auto notes = ranks_.all_gather(std::span<const Note>(&mine, 1));
  for (const Note& note : notes)
    if (note.made != 0 && observer_.progress) observer_.progress(note.step);
  requested_ = flags[1] != 0;
  const bool over = flags[2] == 0;
  if (observer_.checkpoints != nullptr && (requested_ || (flags[0] != 0 && !over)))
    observer_.checkpoints->save(ranks_, [&](CheckpointWriter& writer) { save(writer); });
  return !requested_ && !over;
}

int CpStarts::winner(const CpStart* candidate) const {
  struct Bid {
    int rank = -1;
    int start = 0;
    double score = 0;
  } bid;
  if (candidate != nullptr && leads()) bid = {ranks_.rank(), candidate->restart, method_->score(*candidate)};
  const auto bids = ranks_.all_gather(std::span<const Bid>(&bid, 1));
  Bid best;
  for (const Bid& one : bids) {
    if (one.rank < 0) continue;
    if (best.rank < 0 || one.score > best.score || (one.score == best.score && one.start < best.start)) best = one;
  }
  return best.rank;
}

/// On rank 0.
CpStartsState CpStarts::gather_state() const {
  CpStartsState state;
  state.groups = groups_;
  state.group_of = group_of_;
  std::vector<CpStart> under_way;
  if (leads() && current_) under_way.push_back(*current_);
  state.under_way = joined(ranks_.gather_objects(under_way, 0));
  state.ended = joined(ranks_.gather_objects(group_.rank() == 0 ? ended_ : std::vector<CpStart>(), 0));
  sort_by_number(state.under_way);
  sort_by_number(state.ended);
  return state;
}

void CpStarts::save(CheckpointWriter& writer) {
  CpStartsState state = gather_state();
  const int best = winner(best_ ? &*best_ : nullptr);
  state.has_best = best >= 0;
  if (best >= 0) {
    state.best = best_.value_or(CpStart());
    ranks_.broadcast_object(state.best, best);
  }
  writer.object("starts", state);
  writer.rows_of_groups(ranks_, current_ ? folder_of(current_->restart) : "", [&](CheckpointWriter& own) {
    if (method_ && current_) method_->save(own, false);
  });
  writer.rows_of_groups(ranks_, "", [&](CheckpointWriter& own) {
    if (!best_ || best < 0 || best_->restart != state.best.restart) return;
    for (int mode = 0; mode < tensor_.order(); ++mode)
      own.rows(fmt::format("/best/{}", mode), tensor_.shape()[static_cast<std::size_t>(mode)], method_->held_rows(mode),
               best_factors_[static_cast<std::size_t>(mode)]);
  });
}

void CpStarts::report(CpResult& result) {
  // Stopped in mid-start: that start counts as it stands.
  if (requested_ && current_ && (!best_ || method_->score(*current_) > method_->score(*best_))) {
    best_ = current_;
    best_factors_.clear();
    for (int mode = 0; mode < tensor_.order(); ++mode) best_factors_.push_back(method_->held_factor(mode));
  }
  CpStartsState state = gather_state();
  const int best = winner(best_ ? &*best_ : nullptr);
  state.best = best_.value_or(CpStart());
  ranks_.broadcast_object(state.best, best);
  ranks_.broadcast_object(state.ended, 0);
  ranks_.broadcast_object(state.under_way, 0);
  const bool mine = best_ && best_->restart == state.best.restart;
  if (!requested_) save_end(state, mine);
  std::vector<CpStart> told = state.ended;
  if (requested_) told.insert(told.end(), state.under_way.begin(), state.under_way.end());
  sort_by_number(told);
  SolveHealth solves;
  for (const CpStart& start : told) {
    result.restart_fits.push_back(start.fit);
    result.restart_deviances.push_back(start.deviance);
    solves.damped = solves.damped || start.damped;
    solves.pseudo_inverse = solves.pseudo_inverse || start.pseudo_inverse;
  }
  if (method_) report_start(tensor_, *method_, state.best, requested_, result);
  note_solves(solves, result);
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    const std::span<const Index> rows = mine ? method_->held_rows(mode) : std::span<const Index>();
    result.rows[m].assign(rows.begin(), rows.end());
    result.factors.push_back(mine ? std::move(best_factors_[m]) : FactorMatrix(0, options_.rank));
  }
  result.start_groups = groups_;
}

/// The end is saved as that of starts one after the other: from there on there is one model.
void CpStarts::save_end(const CpStartsState& state, bool mine) {
  if (observer_.checkpoints == nullptr) return;
  CpState end;
  end.current = state.best;
  end.current.momentum = 0;  // what it came from is gone
  end.finished = true;
  for (const CpStart& start : state.ended) {
    end.restart_fits.push_back(start.fit);
    end.restart_deviances.push_back(start.deviance);
    end.damped = end.damped || start.damped;
    end.pseudo_inverse = end.pseudo_inverse || start.pseudo_inverse;
  }
  observer_.checkpoints->save_end(ranks_, [&](CheckpointWriter& writer) {
    writer.object("cp", end);
    writer.rows_of_groups(ranks_, "", [&](CheckpointWriter& own) {
      if (!mine) return;
      method_->save(own, true);
      for (int mode = 0; mode < tensor_.order(); ++mode)
        own.rows(fmt::format("/factors/{}", mode), tensor_.shape()[static_cast<std::size_t>(mode)],
                 method_->held_rows(mode), best_factors_[static_cast<std::size_t>(mode)]);
    });
  });
}

}  // namespace tempera
