#pragma once

namespace tempera {

/// Positions in [0, 1] between two bounds, on a linear or a log scale, and the natural values there.
///
/// Natural values are rounded to decimals, 12 digits of the range (linear) or of themselves (log), fewer where a double near
/// the bounds has fewer; the bounds themselves are exact. So people read 0.0123456789 and not 0.012345678900000001, and
/// position(value(u)) is a position that comes back from its value to the last bit, whatever u was.
class SpaceScale {
 public:
  SpaceScale() = default;
  /// @pre low < high, both finite, high − low finite; low > 0 if `log_scale`
  SpaceScale(double low, double high, bool log_scale);

  double value(double position) const;
  double position(double value) const;
  /// The nearest position that comes back from its value.
  double rounded(double position_) const { return position(value(position_)); }

 private:
  double round(double value) const;

  double low_ = 0, high_ = 1;
  bool log_ = false;
  double origin_ = 0, width_ = 1;  ///< on the scale: log(low), log(high/low)
  double multiplier_ = 1;          ///< linear: 10^decimals of a value, or its inverse
  bool multiplied_ = true;
};

}  // namespace tempera
