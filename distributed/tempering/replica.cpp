#include "distributed/tempering/replica.hpp"

namespace tempera {

void Replica::begin_round() {
  round_trips = restarts = evaluations = gradients = invalid = 0;
  likelihoods.clear();
  chains.clear();
  statistics.clear();
}

void Replica::note(const LadderPlan& plan, bool covariance) {
  likelihoods.push_back(point.density.likelihood);
  chains.push_back(chain);
  statistics.try_emplace(chain, point.u.size(), covariance).first->second.add(point.u, step);
  if (plan.chains() == 1) return;
  if (chain == 0) {
    if (end == End::last) ++round_trips;
    end = End::first;
  } else if (chain == plan.chains() - 1) {
    end = End::last;
  }
  if (plan.is_reference(chain)) {
    fresh = true;
  } else if (plan.is_target(chain) && fresh) {
    ++restarts;
    fresh = false;
  }
}

}  // namespace tempera
