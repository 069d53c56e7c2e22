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

/// Traffic of a text: Courier cuts it into letters.
Traffic text_traffic(const detail::Message& message) {
  constexpr auto kCarried = static_cast<Index>(sizeof(Letter::content));
  const Index letters = (std::ssize(detail::to_text(message)) + kCarried - 1) / kCarried;
  return letters * Traffic{1, sizeof(Letter)};
}

}  // namespace

OptimizationTime optimization_time(const PlannedOptimization& plan) {
  const Index budget = plan.scheduler.budget, workers = plan.workers;
  TEMPERA_EXPECTS(budget >= 1 && workers >= 1);
  const bool batches = plan.scheduler.schedule == Schedule::batch;
  std::priority_queue<double, std::vector<double>, std::greater<>> free;  // when each worker is
  for (Index k = 0; k < std::min(workers, budget); ++k) free.push(0);
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
    proposed = begin + plan.proposing_seconds(n);
    RandomStream stream(0, "plan-trial", {n});
    const double seconds = plan.trial_seconds * (1 - kSpread + 2 * kSpread * stream.uniform());
    starts.push_back(std::max(proposed, free.top()));
    free.pop();
    free.push(starts.back() + seconds);
    ended = std::max(ended, starts.back() + seconds);
    tried += seconds;
  }
  return {ended, ended > 0 ? tried / (ended * static_cast<double>(workers)) : 1};
}

Traffic trial_traffic(const TrialRequest& request, const TrialAnswer& answer, int ranks) {
  return ranks * text_traffic(request) + text_traffic(answer);
}

Traffic traffic_beside_trials(int ranks) {
  const Index others = ranks - 1;
  // Slots are gathered; each rank is told to leave and says that it does; rank 0 says whether the run was stopped.
  return others * Traffic{1, sizeof(Index)} + 2 * others * text_traffic(detail::LeaveMessage{}) +
         copies_traffic(ranks, sizeof(int));
}

double workers_served(double trial_seconds, double proposing_seconds) {
  return proposing_seconds > 0 ? trial_seconds / proposing_seconds : std::numeric_limits<double>::infinity();
}

double model_memory(Index trials, Index draws, int ranks) {
  constexpr double kSearch = 2;  // matrices beside the factors: the covariance and its inverse
  constexpr double kRoom = 1.4;  // of a factor: 1.27 with room for rows to come (ExactGp::append); what runs take is more
  const auto n = static_cast<double>(trials);
  const Index factors = trials < GpFitOptions().draws_below ? draws : 1;
  const ShardedGpMaker::Limits limits;
  const bool shared = ranks > 1 && trials >= limits.shared_from;
  const double search = kSearch / (shared ? ranks : 1);
  const double kept = static_cast<double>(factors) * (shared && trials >= limits.spread_from ? 1.0 / ranks : kRoom);
  return 8 * n * n * (search + kept);
}

}  // namespace tempera
