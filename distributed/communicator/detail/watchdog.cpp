#include "distributed/communicator/detail/watchdog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>

#include "core/base/error.hpp"
#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/detail/domain.hpp"
#include "distributed/communicator/detail/tags.hpp"

namespace tempera::detail {

namespace {

constexpr double kDefaultLimit = 300;
constexpr double kJudgement = 1.25;  // times the limit

double limit_from_environment() {
  const char* text = std::getenv("TEMPERA_WATCHDOG");
  if (text == nullptr || *text == '\0') return kDefaultLimit;
  const std::string_view view(text);
  double seconds = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), seconds);
  if (error != std::errc() || end != view.data() + view.size() || !(seconds >= 0))
    throw Error(Category::usage, "TEMPERA_WATCHDOG", fmt::format("'{}' is not a number of seconds", view),
                "give seconds, for example TEMPERA_WATCHDOG=600, or 0 to switch the watchdog off");
  return seconds;
}

}  // namespace

Watchdog::Watchdog(Domain& domain)
    : limit_seconds(limit_from_environment()),
      may_judge([this](double seconds, const WaitReports&) { return seconds >= kJudgement * limit_seconds; }),
      print([](const std::string& line) { std::fputs((line + "\n").c_str(), stderr); }),
      domain_(domain) {}

WaitReport Watchdog::report_of(const Wait& wait) const {
  const Channel& channel = wait.channel();
  WaitReport report;
  report.waiting = true;
  report.operation = wait.operation();
  report.region = channel.regions->current();
  report.seconds = wait.seconds();
  report.channel = channel.id;
  if (wait.what() == Wait::For::arrival) {
    report.waits_for = channel.members;
    report.needed = channel.arrival.entered();
  } else if (wait.what() == Wait::For::object) {
    report.waits_for = {channel.members[static_cast<std::size_t>(wait.peer())]};
    report.tag = wait.tag();
    const auto received = channel.objects_received.find({wait.peer(), wait.tag()});
    report.needed = received == channel.objects_received.end() ? 0 : received->second;
  }
  for (const auto& [id, known] : domain_.channels()) {
    report.channels.push_back({id, known->arrival.entered(), known->scopes_opened, false});
    for (const auto& [peer_and_tag, messages] : known->objects_sent)
      report.sent.push_back(
          {id, known->members[static_cast<std::size_t>(peer_and_tag.first)], peer_and_tag.second, messages});
  }
  return report;
}

void Watchdog::send_to_all(const WaitReport& report) {
  for (int rank = 0; rank < domain_.size(); ++rank)
    if (rank != domain_.rank()) domain_.post(domain_.control(), rank, kWaitReportTag, encode(report));
  reports_.insert_or_assign(domain_.rank(), report);
  report_stands_ = report.waiting;
}

void Watchdog::observe(const Wait& wait) {
  if (limit_seconds <= 0) return;
  const double seconds = wait.seconds();
  if (seconds < limit_seconds) return;
  if (reported_ != &wait) {
    send_to_all(report_of(wait));
    reported_ = &wait;
    judged_ = false;
  }
  if (judged_ || !may_judge(seconds, reports_)) return;
  judged_ = true;  // until another report comes
  const std::vector<int> stuck = ranks_that_wait_for_ever(reports_);
  if (std::ranges::binary_search(stuck, domain_.rank()))
    throw Error(Category::environment, "deadlock",
                fmt::format("these ranks wait for each other for ever: {}", describe(reports_, stuck)),
                "all ranks of a communicator must call the same operations in the same order; this is a defect of the "
                "calling program");
  announce(wait);
}

void Watchdog::announce(const Wait& wait) {
  std::vector<int> waiting;
  for (const auto& [rank, report] : reports_) {
    if (report.waiting) waiting.push_back(rank);
    if (report.waiting && report.announced) return;
  }
  if (waiting.front() != domain_.rank()) return;
  std::vector<int> absent;
  for (int rank : waiting)
    for (int other : reports_.at(rank).waits_for)
      if (!std::ranges::binary_search(waiting, other)) absent.push_back(other);
  std::ranges::sort(absent);
  absent.erase(std::ranges::unique(absent).begin(), absent.end());
  std::string line =
      fmt::format("tempera: still waiting after {:.3g} s: {}", limit_seconds, describe(reports_, waiting));
  if (!absent.empty())
    line += fmt::format("; {} {} not arrived", rank_list(absent), absent.size() == 1 ? "has" : "have");
  print(line);
  WaitReport report = report_of(wait);
  report.announced = true;
  send_to_all(report);
}

void Watchdog::wait_ends(const Wait& wait) {
  if (reported_ != &wait) return;
  reported_ = nullptr;
  // A rank that unwinds keeps its report until the agreement: others may need it to see the same deadlock.
  if (std::uncaught_exceptions() > 0) return;
  try {
    send_to_all(WaitReport{});
  } catch (...) {  // called by a destructor; at worst another rank's message names this rank once too often
  }
}

void Watchdog::receive(int source, std::span<const std::byte> bytes) {
  reports_.insert_or_assign(source, decode_wait_report(bytes));
  judged_ = false;
}

void Watchdog::forget(std::span<const int> ranks) {
  for (int rank : ranks) reports_.erase(rank);
  if (report_stands_) send_to_all(WaitReport{});
}

}  // namespace tempera::detail
