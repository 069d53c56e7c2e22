#include "distributed/tempering/swap_board.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {

SwapBoard::SwapBoard(const Communicator& ranks, Index ladders, std::uint64_t seed)
    : mailbox_(ranks), ladders_(ladders), seed_(seed), replicas_{ladders, ranks.size()}, homes_{0, ranks.size()} {
  TEMPERA_EXPECTS(ladders >= 1);
}

void SwapBoard::begin_round(Index round, std::span<const double> schedule, Index scan) {
  TEMPERA_EXPECTS(!schedule.empty());
  round_ = round;
  scan_ = -1;
  duties_ = 0;
  chains_ = std::ssize(schedule);
  schedule_.assign(schedule.begin(), schedule.end());
  replicas_.count = ladders_ * chains_;
  homes_.count = slots();
  sides_.assign(static_cast<std::size_t>(2 * slots()), Side());
  next_scan_.resize(static_cast<std::size_t>(slots()));
  records_.assign(static_cast<std::size_t>(slots()), PairRecord());
  for (Index slot = 0; slot < slots(); ++slot)
    next_scan_[index(slot)] = scan + (scan % 2 == slot % pairs() % 2 ? 0 : 1);
}

void SwapBoard::restore(std::span<const PairRecord> own) {
  std::copy(own.begin(), own.end(), records_.begin() + homes().first);
}

void SwapBoard::decide(Index slot) {
  Side& low = sides_[2 * index(slot)];
  Side& high = sides_[2 * index(slot) + 1];
  const Index ladder = slot / pairs(), pair = slot % pairs();
  const auto p = static_cast<std::size_t>(pair);
  // A point without likelihood may only stay at β = 0; the difference is then −∞ or NaN.
  const double step = schedule_[p + 1] - schedule_[p];
  const double gain = step == 0 ? 0 : step * (low.log_likelihood - high.log_likelihood);
  const double acceptance = gain >= 0 ? 1 : std::isnan(gain) ? 0 : std::exp(gain);
  RandomStream stream(seed_, "pt-swap", {round_, next_scan_[index(slot)], ladder, pair});
  const bool accepted = stream.uniform() < acceptance;
  records_[index(slot)].rejection += 1 - acceptance;
  ++records_[index(slot)].scans;
  for (const Side* side : {&low, &high})
    mailbox_.send(replicas_.owner(side->replica), {2 * slots() + side->replica, {accepted ? 1.0 : 0.0, 0}});
  low.here = high.here = false;
  next_scan_[index(slot)] += 2;
}

void SwapBoard::swap(Index scan, std::span<SwapOffer> offers) {
  Index answers = 0, duties = 0;
  const Index first_answer = 2 * slots();
  const Index first = offers.empty() ? 0 : offers.front().replica;
  for (const SwapOffer& offer : offers) {
    const Index pair = offer.chain % 2 == scan % 2 ? offer.chain : offer.chain - 1;
    if (pair < 0 || pair >= pairs()) continue;
    const Index slot = offer.replica / chains_ * pairs() + pair;
    mailbox_.send(homes_.owner(slot),
                  {2 * slot + (offer.chain - pair), {offer.log_likelihood, static_cast<double>(offer.replica)}});
    ++answers;
  }
  // Pairs may have been decided already, while this rank was in an earlier scan.
  for (Index slot = homes_.begin(mailbox_.rank()); slot < homes_.end(mailbox_.rank()); ++slot)
    if (next_scan_[index(slot)] == scan) ++duties;
  scan_ = scan;
  duties_ = duties;
  while (answers + duties_ > 0) {
    const Letter letter = mailbox_.wait();
    if (letter.slot < first_answer) {
      receive(letter);
      continue;
    }
    SwapOffer& offer = offers[static_cast<std::size_t>(letter.slot - first_answer - first)];
    TEMPERA_EXPECTS(offer.replica == letter.slot - first_answer);
    if (letter.content[0] > 0) offer.chain += offer.chain % 2 == scan % 2 ? 1 : -1;
    --answers;
  }
}

void SwapBoard::receive(const Letter& letter) {
  if (letter.slot < 0) {
    control_(letter);
    return;
  }
  sides_[index(letter.slot)] = {true, static_cast<Index>(letter.content[1]), letter.content[0]};
  const Index slot = letter.slot / 2;
  if (!complete(slot)) return;
  if (next_scan_[index(slot)] == scan_) --duties_;
  decide(slot);
}

void SwapBoard::serve_arrived() {
  while (const auto letter = mailbox_.poll()) receive(*letter);
}

}  // namespace tempera
