#include "distributed/als/cp_als.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/base/error.hpp"
#include "distributed/als/cp_outcome.hpp"
#include "distributed/als/cp_run.hpp"
#include "distributed/als/cp_sweep.hpp"

namespace tempera {

void check_norm(const DistributedTensor& tensor) {
  const bool overflows = !std::isfinite(tensor.norm_squared());
  const bool underflows = tensor.largest_magnitude() > 0 && tensor.norm_squared() < std::numeric_limits<double>::min();
  if (overflows || underflows)
    throw Error(Category::numerical, "",
                fmt::format("the squared norm of the tensor {}: its largest magnitude is {:g}",
                            overflows ? "overflows" : "underflows", tensor.largest_magnitude()),
                "scale the values, for example to unit maximum");
}

CpResult cp_als(const DistributedTensor& tensor, const CpOptions& options, const CpObserver& observer) {
  const auto region = tensor.grid().all().regions().open("cp-als");
  return cp_outcome(tensor, options, [&](CpResult& result) {
    CpSweep sweep(tensor, options);
    CpRun(tensor, options, observer, sweep).run(result);
  });
}

}  // namespace tempera
