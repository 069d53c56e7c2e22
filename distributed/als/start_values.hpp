#pragma once

#include <span>
#include <vector>

#include "core/factorization/constraint.hpp"
#include "distributed/als/cp_als.hpp"

namespace tempera {

/// One factor before its first sweep, on an active rank: the local rows and those no rank touches that it holds.
struct ModeStart {
  FactorMatrix& local;
  FactorMatrix& unseen;
  std::span<const Index> unseen_rows;
};

/// Whether this start begins elsewhere than at random values: only the first can.
bool starts_at_random(const CpOptions& options, int restart);

/// Start values of one mode as options.init says, not yet moved to the allowed set. Columns that nvecs does not find
/// (more components than directions) are random. Collective over the active ranks.
void fill_start(const DistributedTensor& tensor, const CpOptions& options, const Constraint& constraint, int restart,
                int mode, const ModeStart& start);

/// What each of `order` modes takes of the weights of a given start, where the factors hold the scale.
std::vector<double> share_of_given_weights(const CpOptions& options, int order);

}  // namespace tempera
