#include "core/sampling/explorers/slice_explorer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/base/option_schema.hpp"

namespace tempera {

namespace {

constexpr int kDoublings = 20;
constexpr double kWidth = 4;        // of the first interval, in units of the scale
constexpr double kNothing = 1e-14;  // an interval of this length, relative to where it lies, holds one number

/// The slice through a point at 0 along one line, of the function t ↦ `value(t)`; values are asked for only where they
/// decide something.
template <class Value>
class Slice {
 public:
  Slice(Value& value, double level, double width, double magnitude)
      : value_(value), level_(level), width_(width), nothing_(kNothing * std::max(magnitude, width)) {}

  /// Where to go from 0; `accepted` was called after the value there, unless it is 0.
  template <class Accepted>
  double draw(RandomStream& stream, Accepted accepted) {
    Interval whole;
    whole.left.t = -width_ * stream.uniform();
    whole.right.t = whole.left.t + width_;
    for (int k = kDoublings; k > 0 && reaches(whole); --k) {
      const double length = whole.right.t - whole.left.t;
      if (stream.uniform() < 0.5)
        whole.left = {whole.left.t - length, Side::unknown};
      else
        whole.right = {whole.right.t + length, Side::unknown};
    }
    double low = whole.left.t, high = whole.right.t;
    while (high - low > nothing_) {
      const double t = low + stream.uniform() * (high - low);
      if (value_(t) > level_) {
        accepted();
        if (leads_back(t, whole)) return t;
      }
      (t < 0 ? low : high) = t;
    }
    return 0;
  }

 private:
  enum class Side : char { unknown, inside, outside };
  struct End {
    double t = 0;
    Side side = Side::unknown;
  };
  struct Interval {
    End left, right;
  };

  bool is_inside(End& end) {
    if (end.side == Side::unknown) end.side = level_ < value_(end.t) ? Side::inside : Side::outside;
    return end.side == Side::inside;
  }
  /// Whether an end is inside the slice; looks first at the one that is known.
  bool reaches(Interval& interval) {
    if (interval.left.side == Side::unknown) return is_inside(interval.right) || is_inside(interval.left);
    return is_inside(interval.left) || is_inside(interval.right);
  }

  /// Whether doubling from t could have ended with the same interval.
  bool leads_back(double t, Interval interval) {
    bool differs = false;
    while (interval.right.t - interval.left.t > 1.1 * width_) {
      const double middle = 0.5 * (interval.left.t + interval.right.t);
      differs = differs || (0 < middle) != (t < middle);
      (t < middle ? interval.right : interval.left) = {middle, Side::unknown};
      if (differs && !reaches(interval)) return false;
    }
    return true;
  }

  Value& value_;
  double level_, width_, nothing_;
};

}  // namespace

void SliceOptions::declare(OptionSchema& schema) {
  schema.flag("random-directions", random_directions).help("along random lines instead of coordinates");
  schema.integer("passes", passes).minimum(1).maximum(1e6).help("passes over all coordinates a step");
}

StepRecord SliceExplorer::step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                               RandomStream& stream) {
  TEMPERA_EXPECTS(tuning.scales.size() == point.u.size());
  StepRecord record;
  record.proposals = -density.evaluations();
  for (int k = 0; k < options_.passes; ++k) pass(density, tuning.scales, point, stream);
  record.proposals += density.evaluations();
  return record;
}

void SliceExplorer::pass(PathDensity& density, std::span<const double> scales, SamplePoint& point,
                         RandomStream& stream) {
  const std::size_t dimension = point.u.size();
  order_.resize(dimension);
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  if (!options_.random_directions) stream.shuffle(order_);
  for (const std::size_t i : order_) {
    LogDensity parts = point.density, kept;
    const auto keep = [&] { kept = parts; };
    const double level = density.combined(parts) - stream.exponential();
    if (!options_.random_directions) {
      double& coordinate = point.u[i];
      const double origin = coordinate;
      const auto value = [&](double t) {
        coordinate = origin + t;
        return density.at(point.u, parts);
      };
      const double moved = Slice(value, level, kWidth * scales[i], std::abs(origin)).draw(stream, keep);
      coordinate = origin + moved;
      if (moved != 0) point.density = kept;
      continue;
    }
    origin_ = point.u;
    direction_.resize(dimension);
    double largest = 0;
    for (std::size_t k = 0; k < dimension; ++k) {
      direction_[k] = scales[k] * stream.normal() / std::sqrt(static_cast<double>(dimension));
      largest = std::max(largest, std::abs(origin_[k]) / scales[k]);
    }
    const auto value = [&](double t) {
      for (std::size_t k = 0; k < dimension; ++k) point.u[k] = origin_[k] + t * direction_[k];
      return density.at(point.u, parts);
    };
    const double moved = Slice(value, level, kWidth, largest).draw(stream, keep);
    for (std::size_t k = 0; k < dimension; ++k) point.u[k] = origin_[k] + moved * direction_[k];
    if (moved != 0) point.density = kept;
  }
}

}  // namespace tempera
