#include "distributed/bayesopt/optimization_plan.hpp"

#include <algorithm>
#include <queue>

#include "core/base/contract.hpp"
#include "core/base/random_stream.hpp"
#include "core/bayesopt/gp_fit.hpp"
#include "distributed/bayesopt/detail/messages.hpp"
#include "distributed/bayesopt/pacing.hpp"
#include "distributed/communicator/mailbox.hpp"
#include "distributed/gaussian_process/sharded_gp_maker.hpp"

namespace tempera {

namespace {

constexpr double kSpread = 0.2;  // of the trials' times

/// Courier cuts a text into letters.
Traffic letters_traffic(Index bytes) {
  constexpr auto kCarried = static_cast<Index>(sizeof(Letter::content));
  return (bytes + kCarried - 1) / kCarried * Traffic{1, sizeof(Letter)};
}

Index bytes_of(const detail::Message& message) {
  return std::ssize(detail::to_text(message));
}

Traffic message_traffic(const detail::Message& message) {
  return letters_traffic(bytes_of(message));
}

Point point_of(Index parameters) {
  return Point(static_cast<std::size_t>(parameters));
}

TrialResult success(std::span<const std::string> constraints) {
  TrialResult result;
  for (const std::string& name : constraints) result.constraints[name] = 0;
  return result;
}

}  // namespace

OptimizationTime optimization_time(const PlannedOptimization& plan, std::vector<PlannedBasis>* bases) {
  const Index budget = plan.scheduler.budget, workers = plan.workers;
  TEMPERA_EXPECTS(budget >= 1 && workers >= 1);
  const bool batches = plan.scheduler.schedule == Schedule::batch;
  using Times = std::priority_queue<double, std::vector<double>, std::greater<>>;
  Times free;  // when each worker is
  for (Index k = 0; k < std::min(workers, budget); ++k) free.push(0);
  Times running;  // when each trial ends
  std::vector<double> starts;
  double proposed = 0, ended = 0, batch_ended = 0, tried = 0;
  for (Index n = 0; n < budget; ++n) {
    if (batches && n % plan.scheduler.batch == 0) batch_ended = ended;
    double begin = std::max(proposed, batch_ended);
    if (plan.scheduler.schedule == Schedule::async) {
      const Index ahead = proposals_ahead(workers, plan.proposing_seconds(n), plan.trial_seconds);
      if (ahead == 0) begin = std::max(begin, free.top());
      if (ahead > 0 && n >= ahead) begin = std::max(begin, starts[static_cast<std::size_t>(n - ahead)]);
    }
    while (!running.empty() && running.top() <= begin) running.pop();
    const Index pending = batches ? n % plan.scheduler.batch : static_cast<Index>(running.size());
    if (bases != nullptr) bases->push_back({n - pending, pending});
    proposed = begin + plan.proposing_seconds(n);
    RandomStream stream(0, "plan-trial", {n});
    const double seconds = plan.trial_seconds * (1 - kSpread + 2 * kSpread * stream.uniform());
    starts.push_back(std::max(proposed, free.top()));
    free.pop();
    free.push(starts.back() + seconds);
    running.push(starts.back() + seconds);
    ended = std::max(ended, starts.back() + seconds);
    tried += seconds;
  }
  return {ended, ended > 0 ? tried / (ended * static_cast<double>(workers)) : 1};
}

Traffic trial_traffic(const TrialRequest& request, const TrialAnswer& answer, int ranks) {
  return ranks * message_traffic(request) + message_traffic(answer);
}

Traffic trial_traffic(Index parameters, std::span<const std::string> constraints, int ranks) {
  return trial_traffic({0, 0, 0, point_of(parameters)}, {0, 0, success(constraints)}, ranks);
}

Traffic traffic_beside_trials(int ranks) {
  const Index others = ranks - 1;
  // Slots are gathered; each rank is told to leave and says that it does; rank 0 says whether the run was stopped.
  return others * Traffic{1, sizeof(Index)} + 2 * others * message_traffic(detail::LeaveMessage{}) +
         copies_traffic(ranks, sizeof(int));
}

ModelLetters::ModelLetters(Index parameters, std::span<const std::string> constraints) {
  for (std::size_t told = 0; told < kMeasured; ++told)
    for (std::size_t pending = 0; pending < kMeasured; ++pending) {
      detail::ModelRequest request;
      request.finished.assign(told, {0, point_of(parameters), success(constraints), 0});
      request.pending.assign(pending, {0, point_of(parameters)});
      bytes_[told][pending] = bytes_of(request);
    }
}

Traffic ModelLetters::request(Index told, Index pending) const {
  // An archive describes a type where it comes first; from the second one on each is as long as the others.
  constexpr auto kMost = static_cast<std::size_t>(kMeasured - 1);
  const auto a = std::min(static_cast<std::size_t>(told), kMost),
             b = std::min(static_cast<std::size_t>(pending), kMost);
  Index bytes = bytes_[a][b];
  bytes += (told - static_cast<Index>(a)) * (bytes_[kMost][0] - bytes_[kMost - 1][0]);
  bytes += (pending - static_cast<Index>(b)) * (bytes_[0][kMost] - bytes_[0][kMost - 1]);
  return letters_traffic(bytes);
}

Traffic ModelLetters::answer(const Proposal& proposal) {
  return message_traffic(detail::ModelAnswer{proposal});
}

double workers_served(double trial_seconds, double proposing_seconds) {
  return proposing_seconds > 0 ? trial_seconds / proposing_seconds : std::numeric_limits<double>::infinity();
}

double model_memory(Index trials, Index draws, int ranks) {
  constexpr double kSearch = 2;  // matrices beside the factors: the covariance and its inverse
  constexpr double kRoom = 1.4;  // of a factor: 1.27 for rows to come (ExactGp::append), and what runs take beside it
  const auto n = static_cast<double>(trials);
  const Index factors = trials < GpFitOptions().draws_below ? draws : 1;
  const ShardedGpMaker::Limits limits;
  const bool shared = ranks > 1 && trials >= limits.shared_from;
  const double search = kSearch / (shared ? ranks : 1);
  const double kept = static_cast<double>(factors) * (shared && trials >= limits.spread_from ? 1.0 / ranks : kRoom);
  return 8 * n * n * (search + kept);
}

}  // namespace tempera
