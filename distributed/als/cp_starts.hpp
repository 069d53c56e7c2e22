#pragma once

#include <boost/serialization/vector.hpp>
#include <boost/serialization/version.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "distributed/als/cp_als.hpp"
#include "distributed/als/cp_method.hpp"
#include "distributed/als/cp_state.hpp"

namespace tempera {

using MakeMethod = std::function<std::unique_ptr<CpMethod>(const DistributedTensor&)>;

/// All starts of a fit, one after the other on all ranks or, as options.start_groups says, several at once on groups of
/// ranks. A run that goes on from a checkpoint stays with the way it was made. Collective over the active ranks.
void run_starts(const DistributedTensor& tensor, const CpOptions& options, const CpObserver& observer,
                const MakeMethod& make_method, CpResult& result);

/// The part "starts" of a checkpoint of starts at once. Beside it lie the matrices of those under way, each under
/// /start<k> as a method saves them, and the factors of the best that has ended (/best/0 …).
struct CpStartsState {
  std::vector<CpStart> under_way;  ///< by number
  std::vector<CpStart> ended;      ///< by number, without what only a sweep needs
  bool has_best = false;
  CpStart best;  ///< of those that have ended
  int groups = 0;
  std::vector<int> group_of;  ///< each start

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& under_way& ended& has_best& best& groups& group_of;
  }
};

/// Starts dealt over groups of ranks, each with the whole tensor: start k goes to group k mod groups.
///
/// The groups keep step: after each sweep all ranks agree on whether to save or stop, so that a checkpoint holds every
/// start under way. A run that goes on with as many groups deals them as before; with another number those under way are
/// dealt first, and if there are more of them than groups, they begin again when their turn comes. The best is the one of
/// highest score, of equal ones the lowest number, whoever made it.
class CpStarts {
 public:
  CpStarts(const DistributedTensor& tensor, const CpOptions& options, const CpObserver& observer,
           const MakeMethod& make_method, int groups);

  /// Leaves the best model in `result`: its rows are with the group that made it. Collective over the active ranks.
  void run(const CheckpointReader* reader, CpResult& result);

 private:
  struct Note;  // what a group says of its last sweep

  bool leads() const { return method_ && group_.rank() == 0; }
  void begin(const CheckpointReader* reader);
  void deal(const CpStartsState& state);
  void begin_next();
  Note sweep();
  void end_start();
  /// One sweep of every group. False when the run is over, as all starts are or as a stop was requested.
  bool step();
  CpStartsState gather_state() const;
  void save(CheckpointWriter& writer);
  void report(CpResult& result);
  void save_end(const CpStartsState& state, bool mine);
  /// The rank that leads the group whose candidate is best, −1 if there is none.
  int winner(const CpStart* candidate) const;

  const DistributedTensor& tensor_;
  const CpOptions& options_;
  const CpObserver& observer_;
  const Communicator& ranks_;
  int groups_;
  int group_index_;
  Communicator group_;
  std::unique_ptr<DistributedTensor> own_tensor_;  // where the group is not all ranks
  std::unique_ptr<CpMethod> method_;               // absent on a rank that holds no data of the group's tensor
  std::vector<int> group_of_;                      // each start
  std::vector<int> mine_;                          // starts that wait, in order
  std::optional<CpStart> current_;
  std::vector<CpStart> ended_;  // here
  std::optional<CpStart> best_;
  std::vector<FactorMatrix> best_factors_;
  bool requested_ = false;
};

}  // namespace tempera

BOOST_CLASS_VERSION(tempera::CpStartsState, 1)
