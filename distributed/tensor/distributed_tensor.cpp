#include "distributed/tensor/distributed_tensor.hpp"

namespace tempera {

namespace {

/// Keeps nothing: every mode by itself.
class SeparateProducts final : public SweepProducts {
 public:
  explicit SeparateProducts(const DistributedTensor& tensor) : tensor_(tensor) {}

  void mttkrp(std::span<const FactorMatrix> factors, std::span<const std::uint64_t>, int mode, FactorMatrix& result,
              const RowProgress*) override {
    tensor_.mttkrp(factors, mode, result);
  }

 private:
  const DistributedTensor& tensor_;
};

}  // namespace

std::unique_ptr<SweepProducts> DistributedTensor::sweep_products(Index) const {
  return std::make_unique<SeparateProducts>(*this);
}

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
