#include "core/linalg/khatri_rao.hpp"

#include <algorithm>
#include <vector>

#include "core/base/contract.hpp"

namespace tempera {

void khatri_rao_rows(std::span<const RowView> matrices, Index first, Index count, double* out, Index out_stride) {
  TEMPERA_EXPECTS(!matrices.empty());
  const RowView fast = matrices.front();
  const auto columns = static_cast<std::size_t>(fast.columns);
  std::vector<double> slow(columns, 1.0);
  Index slow_index = -1;
  for (Index k = 0; k < count; ++k) {
    const Index i = first + k;
    if (i / fast.rows != slow_index) {
      slow_index = i / fast.rows;
      std::fill(slow.begin(), slow.end(), 1.0);
      Index rest = slow_index;
      for (std::size_t m = 1; m < matrices.size(); ++m) {
        const double* row = matrices[m].data + rest % matrices[m].rows * matrices[m].stride;
        rest /= matrices[m].rows;
        for (std::size_t r = 0; r < columns; ++r) slow[r] *= row[r];
      }
    }
    const double* row = fast.data + i % fast.rows * fast.stride;
    double* target = out + k * out_stride;
    for (std::size_t r = 0; r < columns; ++r) target[r] = row[r] * slow[r];
  }
}

}  // namespace tempera
