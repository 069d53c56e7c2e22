#pragma once

#include <cstddef>
#include <map>
#include <tuple>
#include <vector>

#include "drivers/master/links.hpp"

namespace tempera::drivers {

/// Which runs of a study may begin, as others end.
///
/// Cost: over the whole study one step for each dependency of each run, however many runs a dependency means.
class ReadyRuns {
 public:
  /// A run that may begin; or never will, since one that it needs has failed.
  struct Decided {
    std::size_t instance = 0;
    bool never = false;
    std::size_t failed = 0;  ///< what it needs; only if never
    auto operator<=>(const Decided&) const = default;
  };

  /// @param graph  outlives it  @param state  of every run now: waiting or done, as when a study begins or goes on
  ReadyRuns(const StudyGraph& graph, const std::function<InstanceState(std::size_t)>& state);

  /// A run has ended; also one that never begins, which counts as failed. Each once.
  void ended(std::size_t instance, bool well);
  /// What is decided since the last call, each run once, in the order of the instances.
  std::vector<Decided> take();
  /// Waiting runs that are not decided yet.
  std::size_t undecided() const { return undecided_; }

 private:
  /// Runs that the same runs wait for.
  struct Needed {
    bool any = false;  ///< as in Dependency
    std::size_t runs = 0, ended = 0, failed = 0;
    std::size_t culprit = 0;  ///< the first of those that failed
    std::vector<std::size_t> waiting;
    bool decided = false;
  };

  Needed& needed(const Dependency& dependency);
  void note(Needed& needed, std::size_t instance, bool well);
  void decide(const Decided& decided);

  const StudyGraph& graph_;
  std::vector<Needed> needed_;
  std::map<std::tuple<std::size_t, std::size_t, bool>, std::size_t> places_;  // of dependencies, in needed_
  std::vector<std::vector<std::size_t>> of_run_, of_stage_;                   // places that a run or stage belongs to
  std::vector<std::size_t> open_;                                             // dependencies of a run
  std::vector<bool> is_decided_;
  std::vector<Decided> news_;
  std::size_t undecided_ = 0;
};

}  // namespace tempera::drivers
