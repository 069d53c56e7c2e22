#include "distributed/als/start_values.hpp"

#include <cmath>

#include "core/factorization/initial_factors.hpp"
#include "distributed/als/leading_vectors.hpp"

namespace tempera {

namespace {

/// Puts the vectors over the first columns. A vector's sign means nothing, so that where entries may not be negative its
/// magnitudes say more than its positive half.
void overwrite(FactorMatrix& values, const FactorMatrix& vectors, bool nonnegative) {
  for (Index i = 0; i < vectors.rows(); ++i)
    for (Index r = 0; r < vectors.columns(); ++r) values(i, r) = nonnegative ? std::abs(vectors(i, r)) : vectors(i, r);
}

}  // namespace

bool starts_at_random(const CpOptions& options, int restart) {
  return options.init == CpInit::random || restart > 0;
}

void fill_start(const DistributedTensor& tensor, const CpOptions& options, const Constraint& constraint, int restart,
                int mode, const ModeStart& start) {
  const RowLayout& layout = tensor.rows(mode);
  if (options.init == CpInit::given && restart == 0) {
    options.given->rows(mode, layout.global_rows, start.local);
    options.given->rows(mode, start.unseen_rows, start.unseen);
    return;
  }
  random_start(start.local, layout.global_rows, options.seed, restart, mode);
  random_start(start.unseen, start.unseen_rows, options.seed, restart, mode);
  if (starts_at_random(options, restart)) return;
  const LeadingVectors leading = leading_vectors(tensor, mode, options.rank, options.seed);
  const double unit = std::sqrt(3.0 / static_cast<double>(tensor.shape()[static_cast<std::size_t>(mode)]));
  for (FactorMatrix* rows : {&start.local, &start.unseen})
    for (Index i = 0; i < rows->rows(); ++i)
      for (Index r = 0; r < options.rank; ++r) (*rows)(i, r) *= r < std::ssize(leading.squares) ? 0 : unit;
  overwrite(start.local, leading.vectors, constraint.is_nonnegative());
}

std::vector<double> share_of_given_weights(const CpOptions& options, int order) {
  std::vector<double> share;
  for (const double weight : options.given->weights()) share.push_back(std::pow(weight, 1.0 / order));
  return share;
}

}  // namespace tempera
