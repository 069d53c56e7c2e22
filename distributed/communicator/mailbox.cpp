#include "distributed/communicator/mailbox.hpp"

#include <time.h>

#include <algorithm>

#include "core/base/contract.hpp"
#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/detail/mpi_call.hpp"
#include "distributed/communicator/detail/tags.hpp"
#include "distributed/communicator/detail/wait.hpp"

namespace tempera {

namespace {
constexpr int kBytes = sizeof(Letter);
constexpr int kEagerLooks = 64;           // until then a letter that is on its way is not slept over
constexpr double kEagerSeconds = 100e-6;  // but if others want the processor, who offers it at each look comes too late
}  // namespace

Mailbox::Mailbox(const Communicator& ranks) : ranks_(ranks.split(0, ranks.rank())) {}

Mailbox::~Mailbox() {
  for (auto& posted : posted_) {
    int done = 0;
    if (MPI_Test(&posted->request, &done, MPI_STATUS_IGNORE) == MPI_SUCCESS && done) continue;
    // Only after an error: nobody will receive it.
    MPI_Request_free(&posted->request);
    static_cast<void>(posted.release());  // MPI may still read it
  }
}

void Mailbox::send(int to, const Letter& letter) {
  TEMPERA_EXPECTS(to >= 0 && to < ranks_.size());
  if (to == ranks_.rank()) {
    own_.push_back(letter);
    return;
  }
  forget_delivered();
  Posted& posted = *posted_.emplace_back(std::make_unique<Posted>(Posted{letter, MPI_REQUEST_NULL}));
  const detail::Channel& channel = detail::Channel::of(ranks_);
  detail::check_mpi(MPI_Isend(&posted.letter, kBytes, MPI_BYTE, to, detail::kLetterTag, channel.comm, &posted.request),
                    "MPI_Isend");
  channel.count({1, kBytes});
}

void Mailbox::forget_delivered() {
  while (!posted_.empty()) {
    int done = 0;
    detail::check_mpi(MPI_Test(&posted_.front()->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    if (!done) return;
    posted_.pop_front();
  }
}

std::optional<Letter> Mailbox::poll() {
  if (!own_.empty()) {
    const Letter letter = own_.front();
    own_.pop_front();
    return letter;
  }
  if (ranks_.size() == 1) return std::nullopt;
  int found = 0;
  MPI_Message message = MPI_MESSAGE_NULL;
  detail::check_mpi(
      MPI_Improbe(MPI_ANY_SOURCE, detail::kLetterTag, ranks_.handle(), &found, &message, MPI_STATUS_IGNORE),
      "MPI_Improbe");
  if (!found) return std::nullopt;
  Letter letter;
  detail::check_mpi(MPI_Mrecv(&letter, kBytes, MPI_BYTE, &message, MPI_STATUS_IGNORE), "MPI_Mrecv");
  return letter;
}

Letter Mailbox::wait() {
  detail::Channel& channel = detail::Channel::of(ranks_);
  detail::Wait wait(channel, detail::Operation::receive_letter);
  for (;;) {
    if (const auto letter = poll()) return *letter;
    wait.step();
    if (channel.domain.someone_left()) throw detail::LeftBecauseOfAnotherRank{&channel.domain};
  }
}

std::optional<Letter> Mailbox::wait_for(double seconds, Patience patience) {
  using Clock = detail::Wait::Clock;
  detail::Channel& channel = detail::Channel::of(ranks_);
  detail::Wait wait(channel, detail::Operation::receive_letter);
  channel.domain.receive_control();  // there may be too few steps below
  const auto begin = Clock::now();
  double nap = patience.shortest_nap;
  for (int look = 0;; ++look) {
    // Open MPI compares with what it has taken in before, and takes in more afterwards: the second question is about that.
    if (auto letter = poll()) return letter;
    if (auto letter = poll()) return letter;
    wait.step();
    if (channel.domain.someone_left()) throw detail::LeftBecauseOfAnotherRank{&channel.domain};
    const double waited = std::chrono::duration<double>(Clock::now() - begin).count();
    if (waited < patience.eager || (look < kEagerLooks && waited < kEagerSeconds)) continue;
    if (waited >= seconds) return std::nullopt;
    const timespec rest{0, static_cast<long>(1e9 * nap)};
    ::nanosleep(&rest, nullptr);
    nap = std::min(patience.longest_nap, 2 * nap);
  }
}

}  // namespace tempera
