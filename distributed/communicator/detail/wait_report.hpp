#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "distributed/communicator/detail/notice.hpp"
#include "distributed/communicator/detail/operation.hpp"

namespace tempera::detail {

/// What a rank that has waited for long tells all ranks of the domain.
struct WaitReport {
  bool waiting = false;    ///< false: takes the last report back
  bool announced = false;  ///< this rank has printed the watchdog's message
  Operation operation = Operation::barrier;
  std::string region;
  double seconds = 0;

  /// Who could end the wait, as ranks of the domain; empty if that cannot be judged.
  std::vector<int> waits_for;
  /// An arrival: ends when all of waits_for have entered number `needed` on `channel`.
  /// An object: ends when waits_for has sent more than `needed` messages with `tag` (≥ 0) on `channel`.
  std::uint64_t channel = 0;
  std::uint64_t needed = 0;
  int tag = -1;

  /// How far the reporting rank has come itself.
  std::vector<ChannelState> channels;
  struct Sent {
    std::uint64_t channel = 0;
    int destination = 0;  ///< rank of the domain
    int tag = 0;
    std::uint64_t messages = 0;
  };
  std::vector<Sent> sent;
};

std::vector<std::byte> encode(const WaitReport& report);
WaitReport decode_wait_report(std::span<const std::byte> bytes);

using WaitReports = std::map<int, WaitReport>;  // by rank of the domain

/// The ranks that wait for each other for ever, by these reports alone: the largest set in which each waits for a
/// member of the set that, when it reported, had not done its part.
///
/// Old reports prove as much as new ones: the first of the set to go on would need another one to have gone on before.
std::vector<int> ranks_that_wait_for_ever(const WaitReports& reports);

/// "ranks 0-2 in all_reduce (region sweep/gram); rank 3 in barrier"
std::string describe(const WaitReports& reports, std::span<const int> ranks);
/// "ranks 0-2, 5"
std::string rank_list(std::span<const int> ranks);

}  // namespace tempera::detail
