#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "distributed/communicator/detail/wait.hpp"
#include "distributed/communicator/detail/wait_report.hpp"

namespace tempera::detail {

class Domain;

/// Says who waits for whom instead of a silent hang.
///
/// A rank that has waited for `limit_seconds` reports to all ranks of the domain. A little later, when the others
/// had time to report too, the lowest waiting rank prints one line; and if the reports prove that ranks wait
/// for each other for ever, those throw Error{environment}. A rank that computes cannot answer: it "has not arrived".
class Watchdog {
 public:
  explicit Watchdog(Domain& domain);

  /// 300 s, or TEMPERA_WATCHDOG in the environment; 0 = off. The same on all ranks.
  double limit_seconds;
  /// Whether a rank that has reported judges now, after waiting for so long and with these reports. Unless changed,
  /// when the others had a quarter of the limit to report too.
  std::function<bool(double seconds, const WaitReports&)> may_judge;
  /// Where the line goes; standard error unless changed.
  std::function<void(const std::string&)> print;

  void observe(const Wait& wait);
  void wait_ends(const Wait& wait);
  void receive(int source, std::span<const std::byte> bytes);
  /// After an agreement: what these ranks reported before it no longer holds.
  void forget(std::span<const int> ranks);

 private:
  WaitReport report_of(const Wait& wait) const;
  void send_to_all(const WaitReport& report);
  void announce(const Wait& wait);

  Domain& domain_;
  WaitReports reports_;
  const Wait* reported_ = nullptr;
  bool report_stands_ = false;
  bool judged_ = false;
};

}  // namespace tempera::detail
