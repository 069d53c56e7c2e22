#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "core/base/index.hpp"
#include "distributed/communicator/mailbox.hpp"
#include "distributed/tempering/block_deal.hpp"

namespace tempera {

/// A replica that offers to exchange its chain with a neighbour.
struct SwapOffer {
  Index replica = 0;  ///< over all ladders
  Index chain = 0;
  double log_likelihood = 0;  ///< on the path of the pair at hand
};

/// What became of the offers to one pair of neighbouring chains in a round. On the rank that decides for it.
struct PairRecord {
  double rejection = 0;  ///< sum of 1 − acceptance probability over the scans
  Index scans = 0;
};

/// Deterministic even–odd swaps of K ladders of N chains: pairs (0,1), (2,3), … in even scans, (1,2), (3,4), … in odd ones
/// (Okabe et al. 2001; non-reversible: Syed et al. 2022). A pair is decided by one rank, its home, which need not hold any
/// of the two replicas and tells them whether they change places. A replica sends 24 bytes and receives 24 bytes, or none;
/// states never move.
///
/// Random numbers belong to the pair and the scan, so that no decision depends on the number of ranks.
class SwapBoard {
 public:
  /// Collective.
  SwapBoard(const Communicator& ranks, Index ladders, std::uint64_t seed);

  /// A round begins, at scan 0 or, after a restart, at a later one; the records are empty. Not collective; no letters may
  /// be under way. @param schedule  β of the chains of a ladder
  void begin_round(Index round, std::span<const double> schedule, Index scan = 0);
  /// One scan: sets the chain of each offer to where the replica goes on. Every rank calls it once a scan, with the offers of
  /// all its replicas.
  void swap(Index scan, std::span<SwapOffer> offers);

  /// A letter that is not about swaps: slot < 0. Not collective.
  void send_control(int to, const Letter& letter) { mailbox_.send(to, letter); }
  /// Who gets those that arrive, from within the functions below and swap().
  void on_control(std::function<void(const Letter&)> receiver) { control_ = std::move(receiver); }
  /// Deals with the letters that are there, or waits for one: offers of ranks that are ahead, and control.
  void serve_arrived();
  void serve_next() { receive(mailbox_.wait()); }

  /// Slots of pairs that this rank decides: begin and end.
  std::pair<Index, Index> homes() const { return {homes_.begin(mailbox_.rank()), homes_.end(mailbox_.rank())}; }
  Index slots() const { return ladders_ * pairs(); }
  /// Puts back what records() held.
  void restore(std::span<const PairRecord> own);

  /// Of pair p of ladder k at [k (N − 1) + p]; those of other ranks are empty.
  const std::vector<PairRecord>& records() const { return records_; }

 private:
  struct Side {
    bool here = false;
    Index replica = 0;
    double log_likelihood = 0;
  };
  Index pairs() const { return chains_ - 1; }
  bool complete(Index slot) const { return sides_[2 * index(slot)].here && sides_[2 * index(slot) + 1].here; }
  std::size_t index(Index slot) const { return static_cast<std::size_t>(slot); }
  void decide(Index slot);
  /// Anything but an answer.
  void receive(const Letter& letter);

  Mailbox mailbox_;
  Index ladders_, chains_ = 1;
  std::uint64_t seed_;
  BlockDeal replicas_, homes_;
  std::function<void(const Letter&)> control_;
  Index scan_ = 0;    ///< that swap() is in
  Index duties_ = 0;  ///< pairs it still has to decide
  Index round_ = 0;
  std::vector<double> schedule_;
  std::vector<Side> sides_;       ///< two a pair
  std::vector<Index> next_scan_;  ///< that a pair will be decided in: ranks are not all in the same one
  std::vector<PairRecord> records_;
};

}  // namespace tempera
