#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/dealer.hpp"
#include "core/bayesopt/acquisition.hpp"
#include "core/bayesopt/candidates.hpp"
#include "core/bayesopt/space.hpp"

namespace tempera {

struct ScoredPoint {
  Point point;
  double value = 0;  ///< of the acquisition
};

struct SearchOptions {
  CandidateOptions candidates;
  Index starts = 8;        ///< candidates that are polished, at most
  Index evaluations = 40;  ///< with gradient, of one ascent
  Index block = 64;        ///< candidates that are scored at once
  Index together = 4;      ///< starts that climb in step, so that a model predicts at all of them at once
};

/// The search for the feasible point of a space at which an acquisition is greatest: many candidates are scored, the best of
/// them that lie apart are polished, the best that is not known yet is chosen. Each step depends on its arguments alone, so
/// blocks of candidates and groups of starts may be dealt over processes; bits do not depend on how.
class AcquisitionSearch {
 public:
  /// @param space, acquisition  outlive this
  /// @pre the acquisition has as many features as the space
  AcquisitionSearch(const Space& space, const Acquisition& acquisition, SearchOptions options = {});

  Index blocks(std::span<const Point> candidates) const {
    return (std::ssize(candidates) + options_.block - 1) / options_.block;
  }
  /// Values at the candidates of a block, SearchOptions::block of them or those that are left.
  std::vector<double> score(std::span<const Point> candidates, Index block) const;
  /// Values at all candidates, block by block.
  std::vector<double> score(std::span<const Point> candidates) const;
  /// The candidates to polish, the best first, of equal ones the first: none is near one before it.
  std::vector<Index> starts(std::span<const Point> candidates, std::span<const double> values) const;
  /// Climbs from feasible points in step: ascents along the active real parameters, in turns with moves of one of the others to the
  /// best of its cells (of many integers: of several near and far). Never worse than the start, and feasible.
  /// @param streams  one a start, of the steps along constraints; used only where an ascent meets one
  std::vector<ScoredPoint> polish(std::vector<ScoredPoint> starts, std::vector<RandomStream> streams) const;
  ScoredPoint polish(const ScoredPoint& start, RandomStream stream) const;
  /// The best of the polished points that is not known, of equal ones the first; if all are known, the best candidate.
  /// Absent: no polished point, no candidate.
  /// @pre no candidate is known
  std::optional<ScoredPoint> choose(std::span<const ScoredPoint> polished, std::span<const Point> candidates,
                                    std::span<const double> values, std::span<const Point> known) const;

 private:
  struct Ascent;
  std::vector<double> values_at(std::span<const Point> points) const;
  /// Ascents of all of them in step. @return of each whether a constraint was met
  std::vector<bool> ascend(std::span<ScoredPoint* const> current) const;
  void evaluate(std::span<Ascent* const> ascents) const;
  bool exchange(ScoredPoint& current) const;
  void slide(ScoredPoint& current, RandomStream& stream) const;
  std::vector<Point> neighbours(const Point& point) const;

  const Space& space_;
  const Acquisition& acquisition_;
  SearchOptions options_;
};

/// The whole search.
/// @param tried    the best first: candidates are drawn near these
/// @param pending  are avoided as well
/// @param dealer   of blocks of candidates and groups of starts
/// @return absent if every point of the space is tried or pending
/// @throws Error{input} if no feasible point is found
std::optional<ScoredPoint> maximize_acquisition(const Space& space, const Acquisition& acquisition,
                                                std::span<const Point> tried, std::span<const Point> pending,
                                                std::uint64_t seed, Index number, const SearchOptions& options,
                                                Dealer& dealer);
/// On one process.
std::optional<ScoredPoint> maximize_acquisition(const Space& space, const Acquisition& acquisition,
                                                std::span<const Point> tried, std::span<const Point> pending,
                                                std::uint64_t seed, Index number, const SearchOptions& options = {});

}  // namespace tempera
