#include "core/factorization/initial_factors.hpp"

#include "core/base/contract.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {

void random_start(FactorMatrix& factor, std::span<const Index> global_rows, std::uint64_t seed, int restart, int mode) {
  TEMPERA_EXPECTS(static_cast<std::size_t>(factor.rows()) == global_rows.size());
  for (Index i = 0; i < factor.rows(); ++i) {
    RandomStream stream(seed, "cp-start", {restart, mode, global_rows[static_cast<std::size_t>(i)]});
    for (Index r = 0; r < factor.columns(); ++r) factor(i, r) = stream.uniform();
  }
}

}  // namespace tempera
