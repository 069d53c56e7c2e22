#include "distributed/tensor/distributed_tensor.hpp"

namespace tempera {

void DistributedTensor::count_exchanged_rows() {
  Index sums[2] = {0, 0};
  for (const auto& exchange : exchanges_) {
    sums[0] += exchange->rows_sent();
    sums[1] += 2 * exchange->layout().owned_count * (exchange->ranks() - 1);
  }
  exchanged_rows_.most = grid_.all().all_reduce_value(sums[0], Reduction::maximum);
  grid_.all().all_reduce(std::span<Index>(sums), Reduction::sum);
  exchanged_rows_.total = sums[0];
  exchanged_rows_.if_dense = sums[1];
}

}  // namespace tempera
