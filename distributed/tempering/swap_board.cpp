#include "distributed/tempering/swap_board.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/contract.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {

SwapBoard::SwapBoard(const Communicator& ranks, Index ladders, Index chains, std::uint64_t seed)
    : mailbox_(ranks),
      ladders_(ladders),
      chains_(chains),
      seed_(seed),
      replicas_{ladders * chains, ranks.size()},
      homes_{ladders * (chains - 1), ranks.size()},
      sides_(static_cast<std::size_t>(2 * ladders * (chains - 1))),
      next_scan_(static_cast<std::size_t>(ladders * (chains - 1))),
      records_(static_cast<std::size_t>(ladders * (chains - 1))) {
  TEMPERA_EXPECTS(ladders >= 1 && chains >= 2);
}

void SwapBoard::begin_round(Index round, std::span<const double> schedule) {
  TEMPERA_EXPECTS(std::ssize(schedule) == chains_);
  round_ = round;
  schedule_.assign(schedule.begin(), schedule.end());
  std::fill(records_.begin(), records_.end(), PairRecord());
  for (Index slot = 0; slot < std::ssize(next_scan_); ++slot) next_scan_[index(slot)] = slot % pairs() % 2;
}

void SwapBoard::decide(Index slot) {
  Side& low = sides_[2 * index(slot)];
  Side& high = sides_[2 * index(slot) + 1];
  const Index ladder = slot / pairs(), pair = slot % pairs();
  const auto p = static_cast<std::size_t>(pair);
  // A point without likelihood may only stay at β = 0; the difference is then −∞ or NaN.
  const double gain = (schedule_[p + 1] - schedule_[p]) * (low.log_likelihood - high.log_likelihood);
  const double acceptance = gain >= 0 ? 1 : std::isnan(gain) ? 0 : std::exp(gain);
  RandomStream stream(seed_, "pt-swap", {round_, next_scan_[index(slot)], ladder, pair});
  const bool accepted = stream.uniform() < acceptance;
  records_[index(slot)].rejection += 1 - acceptance;
  ++records_[index(slot)].scans;
  for (const Side* side : {&low, &high})
    mailbox_.send(replicas_.owner(side->replica), {2 * ladders_ * pairs() + side->replica, {accepted ? 1.0 : 0.0, 0}});
  low.here = high.here = false;
  next_scan_[index(slot)] += 2;
}

void SwapBoard::swap(Index scan, std::span<SwapOffer> offers) {
  Index answers = 0, duties = 0;
  const Index first_answer = 2 * ladders_ * pairs();
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
  while (answers + duties > 0) {
    const Letter letter = mailbox_.wait();
    if (letter.slot >= first_answer) {
      SwapOffer& offer = offers[static_cast<std::size_t>(letter.slot - first_answer - first)];
      TEMPERA_EXPECTS(offer.replica == letter.slot - first_answer);
      if (letter.content[0] > 0) offer.chain += offer.chain % 2 == scan % 2 ? 1 : -1;
      --answers;
      continue;
    }
    sides_[index(letter.slot)] = {true, static_cast<Index>(letter.content[1]), letter.content[0]};
    const Index slot = letter.slot / 2;
    if (!complete(slot)) continue;
    if (next_scan_[index(slot)] == scan) --duties;
    decide(slot);
  }
}

}  // namespace tempera
