#pragma once

#include <string>
#include <vector>

#include "distributed/als/cp_als.hpp"

namespace tempera::test {

/// What can be asked of a CP fit with a Gaussian loss.
struct Combination {
  std::vector<std::string> texts;  ///< constraints
  Solver solver = Solver::automatic;
  bool sparse = false;  ///< storage

  std::string name() const;
};

/// Names of all constraints as people write them, with parameters that bite.
const std::vector<std::string>& constraint_texts();
/// Whether two different constraints (positions in constraint_texts) may be asked of one mode, as the guide says.
bool guide_allows(std::size_t one, std::size_t other);

/// Every constraint alone, each mode and all modes at once, every pair that the parser accepts and the triples that are
/// allowed though a pair of them is not, in one mode and in all; each with every solver that accepts it and in both
/// storages. A tensor of order 3 with these sizes.
std::vector<Combination> all_combinations(const std::vector<Index>& shape, Index rank);

}  // namespace tempera::test
