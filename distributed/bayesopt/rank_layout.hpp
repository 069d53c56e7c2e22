#pragma once

#include <vector>

#include "distributed/communicator/communicator.hpp"

namespace tempera {

enum class RankRole { master, model, worker, idle };

struct RankLayoutOptions {
  int model_ranks = 0;
  int ranks_per_trial = 1;
};

/// Who does what on the ranks of an optimisation: rank 0 proposes and keeps the journal, the next ones compute the model for
/// it, the others try, in groups of neighbours; those too few for a group have nothing to do. A rank that is alone does everything.
class RankLayout {
 public:
  /// @pre ranks ≥ 1, model_ranks ≥ 0, ranks_per_trial ≥ 1
  /// @throws Error{usage} naming the option, if not one group is left
  RankLayout(int ranks, const RankLayoutOptions& options);

  int ranks() const { return ranks_; }
  int model_ranks() const { return options_.model_ranks; }
  int ranks_per_trial() const { return options_.ranks_per_trial; }
  RankRole role(int rank) const;
  int groups() const { return is_alone() ? 1 : (ranks_ - first_worker()) / options_.ranks_per_trial; }
  int idle() const { return is_alone() ? 0 : (ranks_ - first_worker()) % options_.ranks_per_trial; }
  bool is_alone() const { return ranks_ == 1; }

  /// The rank that this one takes orders from: 0, or the first of its group; of itself −1 for rank 0.
  int superior(int rank) const;
  /// Those that take orders from this one.
  std::vector<int> inferiors(int rank) const;

  /// The ranks that do the same together, in order: a group that tries, the model's ranks, rank 0 alone. Of size 0 on idle
  /// ranks. Collective.
  Communicator split(const Communicator& world) const;

 private:
  int first_worker() const { return 1 + options_.model_ranks; }
  int group_of(int rank) const { return (rank - first_worker()) / options_.ranks_per_trial; }
  int first_of(int group) const { return first_worker() + group * options_.ranks_per_trial; }

  int ranks_;
  RankLayoutOptions options_;
};

}  // namespace tempera
