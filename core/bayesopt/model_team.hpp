#pragma once

#include "core/base/dealer.hpp"
#include "core/gaussian_process/gp_maker.hpp"

namespace tempera {

/// Those who compute a proposal together: this process, or several that all make the same calls with the same arguments and
/// get the same answers. Small models lie on each of them, and independent pieces of the work are dealt; large ones are
/// spread over them, and all of them do every piece.
class ModelTeam {
 public:
  virtual ~ModelTeam() = default;
  virtual const GpMaker& maker() const { return maker_; }
  /// @param spread  a model that the pieces use is spread
  virtual Dealer& dealer(bool spread) {
    static_cast<void>(spread);
    return alone_;
  }

 private:
  GpMaker maker_;
  Dealer alone_;
};

}  // namespace tempera
