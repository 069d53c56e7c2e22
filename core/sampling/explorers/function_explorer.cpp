#include "core/sampling/explorers/function_explorer.hpp"

#include <algorithm>
#include <limits>

namespace tempera {

StepRecord FunctionExplorer::step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                                  RandomStream& stream) {
  u_.resize(point.u.size());
  std::copy(point.u.begin(), point.u.end(), u_.begin());
  kernel_(density, tuning, u_, stream);
  StepRecord record;
  record.proposals = 1;
  LogDensity parts;
  if (density.at(u_, parts) > -std::numeric_limits<double>::infinity()) {
    std::copy(u_.begin(), u_.end(), point.u.begin());
    point.density = parts;
  } else {
    record.acceptance = 0;
  }
  return record;
}

}  // namespace tempera
