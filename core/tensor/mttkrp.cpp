#include "core/tensor/mttkrp.hpp"

#include "core/base/contract.hpp"

namespace tempera {

void mttkrp(const SparseTensor& tensor, std::span<const FactorMatrix> factors, int mode, FactorMatrix& result) {
  TEMPERA_EXPECTS(static_cast<int>(factors.size()) == tensor.order());
  result.set_zero();
  for (Index k = 0; k < tensor.nonzeros(); ++k) {
    const auto entry = static_cast<std::size_t>(k);
    double* out = result.row(tensor.indices(mode)[entry]);
    for (Index r = 0; r < result.columns(); ++r) {
      double product = tensor.values()[entry];
      for (int other = 0; other < tensor.order(); ++other)
        if (other != mode) product *= factors[static_cast<std::size_t>(other)](tensor.indices(other)[entry], r);
      out[r] += product;
    }
  }
}

}  // namespace tempera
