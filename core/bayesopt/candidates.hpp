#pragma once

#include <compare>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "core/base/random_stream.hpp"
#include "core/bayesopt/space.hpp"

namespace tempera {

/// Points that are known, equal where all entries are. Activity counts: absent entries are equal to each other.
class PointSet {
 public:
  /// @return whether it was not there
  bool insert(const Point& point) { return points_.insert(point).second; }
  bool contains(const Point& point) const { return points_.contains(point); }
  Index size() const { return std::ssize(points_); }

 private:
  struct Less {
    bool operator()(const Point& a, const Point& b) const;
  };
  std::set<Point, Less> points_;
};

struct CandidateOptions {
  Index spread = 0;    ///< points over the whole space; 0: 512 for up to four parameters, 1024 up to sixteen, else 2048
  Index around = 128;  ///< points near the centres
  Index whole = 16384;  ///< a space of no more points and without real parameters is gone through
};

/// Feasible points to begin a search with, each once and none of the known ones: scrambled Sobol points over the space, then
/// perturbations of the centres (half of them of the first, a quarter of the second, …) on scales from a fifth to 1/300 of
/// the range. In a small space of cells only: all its points. Depends on (seed, number) and the arguments.
/// @param centres  points of the space, the best first; may be empty
/// @return at least one point, or none if the space is small and all its points are known
/// @throws Error{input} if none of 2^20 points is feasible and there are no centres; Error{usage} for more than 3667
/// parameters
std::vector<Point> candidate_points(const Space& space, std::span<const Point> centres, const PointSet& known,
                                    std::uint64_t seed, Index number, const CandidateOptions& options = {});

/// A feasible point near another one, moved at random on a scale (1: the range); the centre itself if none was found.
/// About twenty of many real parameters and two of many others are moved.
Point perturbed_point(const Space& space, const Point& centre, double scale, RandomStream& stream);

}  // namespace tempera
