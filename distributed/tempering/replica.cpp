#include "distributed/tempering/replica.hpp"

namespace tempera {

void Moments::add(std::span<const double> values) {
  if (count++ == 0) {
    mean.assign(values.begin(), values.end());
    squares.assign(values.size(), 0.0);
    return;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double change = values[i] - mean[i];
    mean[i] += change / static_cast<double>(count);
    squares[i] += change * (values[i] - mean[i]);
  }
}

void Replica::begin_round() {
  round_trips = restarts = 0;
  likelihoods.clear();
  chains.clear();
  moments.clear();
}

void Replica::note(Index chain_count) {
  likelihoods.push_back(point.density.likelihood);
  chains.push_back(chain);
  moments[chain].add(point.u);
  if (chain == 0) {
    if (last == End::target) ++round_trips;
    last = End::reference;
  } else if (chain == chain_count - 1) {
    if (last == End::reference) ++restarts;
    last = End::target;
  }
}

}  // namespace tempera
