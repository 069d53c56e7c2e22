#include "core/sampling/explorers/slice_explorer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/base/option_schema.hpp"

namespace tempera {

namespace {

constexpr int kDoublings = 20;
constexpr double kWidth = 2;        // of the first interval, in units of the scale
constexpr double kNothing = 1e-14;  // an interval of this length, relative to where it lies, holds one number

/// The slice through a point at 0 along one line, of the function t ↦ `value(t)`.
template <class Value>
class Slice {
 public:
  Slice(Value& value, double level, double width, double magnitude)
      : value_(value), level_(level), width_(width), nothing_(kNothing * std::max(magnitude, width)) {}

  /// Where to go from 0; the last call of `value` was there, unless it is 0.
  double draw(RandomStream& stream) {
    double left = -width_ * stream.uniform(), right = left + width_;
    double at_left = value_(left), at_right = value_(right);
    for (int k = kDoublings; k > 0 && (level_ < at_left || level_ < at_right); --k) {
      if (stream.uniform() < 0.5)
        at_left = value_(left -= right - left);
      else
        at_right = value_(right += right - left);
    }
    double low = left, high = right;
    while (high - low > nothing_) {
      const double t = low + stream.uniform() * (high - low);
      if (value_(t) > level_ && reaches_back(t, {left, right, at_left, at_right})) return t;
      (t < 0 ? low : high) = t;
    }
    return 0;
  }

 private:
  struct Interval {
    double left, right, at_left, at_right;
  };

  /// Whether doubling from t could have ended with the same interval.
  bool reaches_back(double t, Interval interval) {
    bool differs = false, asked = false;
    bool back = true;
    while (back && interval.right - interval.left > 1.1 * width_) {
      const double middle = 0.5 * (interval.left + interval.right);
      differs = differs || (0 < middle) != (t < middle);
      asked = true;
      if (t < middle) {
        interval.right = middle;
        interval.at_right = value_(middle);
      } else {
        interval.left = middle;
        interval.at_left = value_(middle);
      }
      back = !(differs && level_ >= interval.at_left && level_ >= interval.at_right);
    }
    if (back && asked) value_(t);
    return back;
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
    LogDensity parts = point.density;
    const double level = density.combined(parts) - stream.exponential();
    if (!options_.random_directions) {
      double& coordinate = point.u[i];
      const double origin = coordinate;
      const auto value = [&](double t) {
        coordinate = origin + t;
        return density.at(point.u, parts);
      };
      const double moved = Slice(value, level, kWidth * scales[i], std::abs(origin)).draw(stream);
      coordinate = origin + moved;
      if (moved != 0) point.density = parts;
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
    const double moved = Slice(value, level, kWidth, largest).draw(stream);
    if (moved != 0)
      point.density = parts;
    else
      point.u = origin_;
  }
}

}  // namespace tempera
