#pragma once

#include "core/base/dealer.hpp"
#include "core/gaussian_process/gp_maker.hpp"

namespace tempera {

/// Those who compute a proposal together: this process, or several that all make the same calls with the same arguments and
/// get the same answers. Small models are made by each of them, larger ones together, the largest are spread over them.
/// Independent pieces of the work are dealt unless a model is shared in them: then all of them do every piece.
class ModelTeam {
 public:
  virtual ~ModelTeam() = default;
  virtual const GpMaker& maker() const { return maker_; }
  /// @param shared  the pieces use what all have to call
  virtual Dealer& dealer(bool shared) {
    static_cast<void>(shared);
    return alone_;
  }

 private:
  GpMaker maker_;
  Dealer alone_;
};

}  // namespace tempera
