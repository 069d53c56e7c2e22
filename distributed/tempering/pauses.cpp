#include "distributed/tempering/pauses.hpp"

#include <algorithm>

namespace tempera {

Pauses::Pauses(const Communicator& ranks, SwapBoard& board, Checkpoints& checkpoints)
    : ranks_(ranks), board_(board), checkpoints_(checkpoints) {
  board_.on_control([this](const Letter& letter) { receive(letter); });
}

void Pauses::begin_round(Index scans) {
  scans_ = scans;
  boundary_ = 0;
  answered_ = said_done_ = ended_ = false;
  pause_at_.reset();
  done_ = 0;
}

void Pauses::receive(const Letter& letter) {
  switch (letter.slot) {
    case wish: wanted_ = wanted_stop_ = true; break;
    case call:
      if (said_done_) break;
      answered_ = true;
      board_.send_control(0, {position, {static_cast<double>(boundary_), 0}});
      break;
    case position:
      ++answers_;
      furthest_ = std::max(furthest_, static_cast<Index>(letter.content[0]));
      break;
    case pause_at:
      pause_at_ = static_cast<Index>(letter.content[0]);
      stop_ = letter.content[1] > 0;
      break;
    case done: ++done_; break;
    case end: ended_ = true; break;
  }
}

void Pauses::send_to_all(const Letter& letter) {
  for (int rank = 1; rank < ranks_.size(); ++rank) board_.send_control(rank, letter);
}

/// On rank 0. Ranks that are done with the round have said so, and do not answer.
void Pauses::call_all(Index scan) {
  answers_ = 0;
  furthest_ = scan;
  send_to_all({call, {}});
  while (answers_ + done_ < ranks_.size() - 1) board_.serve_next();
  if (done_ > 0) furthest_ = scans_;
  pause_at_ = furthest_;
  stop_ = wanted_stop_;
  wanted_ = wanted_stop_ = false;
  send_to_all({pause_at, {static_cast<double>(furthest_), stop_ ? 1.0 : 0.0}});
}

bool Pauses::pauses_at(Index scan) {
  // Who has said where it is goes no further until it is told where to pause.
  while (answered_ && !pause_at_) board_.serve_next();
  answered_ = false;
  if (pause_at_ != scan) return false;
  pause_at_.reset();
  return true;
}

bool Pauses::before(Index scan) {
  boundary_ = scan;
  board_.serve_arrived();
  const StepWish mine = checkpoints_.before_step(ranks_);
  if (ranks_.is_root()) {
    wanted_ = wanted_ || mine.save || mine.stop;
    wanted_stop_ = wanted_stop_ || mine.stop;
    if (wanted_ && !pause_at_) call_all(scan);
  } else if (mine.stop && !wished_) {
    wished_ = true;
    board_.send_control(0, {wish, {}});
  }
  if (pauses_at(scan)) return true;
  boundary_ = scan + 1;  // in a swap it may wait for ranks that pause before theirs: it can stop after it only
  return false;
}

bool Pauses::at_end() {
  if (pauses_at(scans_)) return true;
  if (ranks_.is_root()) {
    while (done_ < ranks_.size() - 1) board_.serve_next();
    send_to_all({end, {}});
    return false;
  }
  said_done_ = true;
  board_.send_control(0, {done, {}});
  while (!ended_ && !pause_at_) board_.serve_next();
  return pauses_at(scans_);
}

}  // namespace tempera
