#include "distributed/bayesopt/detail/proposing.hpp"

#include <omp.h>

#include <chrono>
#include <utility>

namespace tempera::detail {

void ProposingHere::begin(ProposalBasis basis) {
  const int threads = omp_get_max_threads();  // a new thread does not inherit them
  const auto policy = beside_ ? std::launch::async : std::launch::deferred;
  proposal_ = std::async(policy, [this, threads, basis = std::move(basis)] {
    if (beside_) omp_set_num_threads(threads);
    return proposer_.propose(basis.number, basis.finished, basis.pending);
  });
}

std::optional<Proposal> ProposingHere::take() {
  if (!proposal_.valid() || (beside_ && proposal_.wait_for(std::chrono::seconds(0)) != std::future_status::ready))
    return std::nullopt;
  return proposal_.get();
}

void ProposingHere::finish() {
  if (proposal_.valid()) proposal_.wait();
}

void ProposingElsewhere::begin(ProposalBasis basis) {
  ModelRequest request{basis.number, told_, {}, std::move(basis.pending)};
  request.finished.assign(basis.finished.begin() + told_, basis.finished.end());
  told_ = std::ssize(basis.finished);
  const std::string text = to_text(request);
  for (const int rank : ranks_) courier_.send(rank, text);
  running_ = true;
}

std::optional<Proposal> ProposingElsewhere::take() {
  if (!answer_) return std::nullopt;
  running_ = false;
  return std::exchange(answer_, std::nullopt);
}

}  // namespace tempera::detail
