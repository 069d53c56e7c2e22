#pragma once

#include <optional>

#include "distributed/checkpoint/checkpoints.hpp"
#include "distributed/tempering/swap_board.hpp"

namespace tempera {

/// Lets ranks that are in different scans agree where they all pause for a checkpoint, by letters and only when one is
/// due: rank 0 calls, each rank says before which scan it can stop at the earliest, all go on to where the furthest can.
class Pauses {
 public:
  /// Takes the board's control letters. All must outlive this object.
  Pauses(const Communicator& ranks, SwapBoard& board, Checkpoints& checkpoints);

  void begin_round(Index scans);
  /// Before a scan. True: here every rank pauses.
  bool before(Index scan);
  /// After the last scan, once a round. True: here every rank pauses, and the round is over.
  bool at_end();
  /// The pause is to leave the run.
  bool leaving() const { return stop_; }

 private:
  enum Kind : Index { wish = -1, call = -2, position = -3, pause_at = -4, done = -5, end = -6 };
  void receive(const Letter& letter);
  void send_to_all(const Letter& letter);
  void call_all(Index scan);
  bool pauses_at(Index scan);

  const Communicator& ranks_;
  SwapBoard& board_;
  Checkpoints& checkpoints_;
  Index scans_ = 0;
  Index boundary_ = 0;  ///< the first scan before which this rank can pause
  std::optional<Index> pause_at_;
  bool stop_ = false;
  bool answered_ = false, said_done_ = false, ended_ = false, wished_ = false;
  // on rank 0
  bool wanted_ = false, wanted_stop_ = false;
  int answers_ = 0, done_ = 0;
  Index furthest_ = 0;
};

}  // namespace tempera
