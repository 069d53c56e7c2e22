#include "distributed/communicator/detail/wait_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "distributed/communicator/archive.hpp"
#include "distributed/communicator/detail/notice_archive.hpp"

namespace tempera::detail {

template <class Archive>
void serialize(Archive& archive, WaitReport::Sent& sent, unsigned) {
  archive& sent.channel& sent.destination& sent.tag& sent.messages;
}
template <class Archive>
void serialize(Archive& archive, WaitReport& report, unsigned) {
  archive& report.waiting& report.announced& report.operation& report.region& report.seconds& report.waits_for& report
      .channel& report.needed& report.tag& report.channels& report.sent;
}

std::vector<std::byte> encode(const WaitReport& report) {
  return to_bytes(report);
}

WaitReport decode_wait_report(std::span<const std::byte> bytes) {
  WaitReport report;
  from_bytes(bytes, report);
  return report;
}

namespace {

/// `other` had not done what `waiting` (of rank `rank`) needs from it when it reported.
bool held_up_by(int rank, const WaitReport& waiting, const WaitReport& other) {
  if (waiting.tag < 0) {
    const auto state = std::ranges::find(other.channels, waiting.channel, &ChannelState::id);
    return state == other.channels.end() || state->entered < waiting.needed;
  }
  const auto sent = std::ranges::find_if(other.sent, [&](const WaitReport::Sent& entry) {
    return entry.channel == waiting.channel && entry.destination == rank && entry.tag == waiting.tag;
  });
  return sent == other.sent.end() || sent->messages <= waiting.needed;
}

}  // namespace

std::vector<int> ranks_that_wait_for_ever(const WaitReports& reports) {
  std::vector<int> ranks;
  for (const auto& [rank, report] : reports)
    if (report.waiting && !report.waits_for.empty()) ranks.push_back(rank);
  while (true) {
    std::vector<int> stuck;
    for (int rank : ranks) {
      const WaitReport& waiting = reports.at(rank);
      const bool held_up = std::ranges::any_of(waiting.waits_for, [&](int other) {
        return std::ranges::binary_search(ranks, other) && held_up_by(rank, waiting, reports.at(other));
      });
      if (held_up) stuck.push_back(rank);
    }
    if (stuck.size() == ranks.size()) return ranks;
    ranks = std::move(stuck);
  }
}

std::string rank_list(std::span<const int> ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size();) {
    std::size_t last = i;
    while (last + 1 < ranks.size() && ranks[last + 1] == ranks[last] + 1) ++last;
    if (i > 0) text += ", ";
    text += last == i ? fmt::format("{}", ranks[i]) : fmt::format("{}-{}", ranks[i], ranks[last]);
    i = last + 1;
  }
  return text;
}

std::string describe(const WaitReports& reports, std::span<const int> ranks) {
  std::vector<std::pair<std::string, std::vector<int>>> places;
  for (int rank : ranks) {
    const WaitReport& report = reports.at(rank);
    std::string place = name(report.operation);
    if (!report.region.empty()) place += fmt::format(" (region {})", report.region);
    auto found = std::ranges::find(places, place, [](const auto& entry) { return entry.first; });
    if (found == places.end()) found = places.insert(places.end(), {std::move(place), {}});
    found->second.push_back(rank);
  }
  std::string text;
  for (const auto& [place, who] : places)
    text += fmt::format("{}{} in {}", text.empty() ? "" : "; ", rank_list(who), place);
  return text;
}

}  // namespace tempera::detail
