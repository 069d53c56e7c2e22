#pragma once

#include <memory>

#include "core/sampling/block_model.hpp"
#include "core/sampling/target.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

namespace detail {
class GroupModel;  // the model as rank 0 of the group sees it
}

/// A target that the ranks of a group evaluate together, each the blocks of data that it holds (see BlockModel). No bit
/// depends on how many ranks there are.
///
/// Rank 0 of the group, the leader, runs samplers and calls evaluate(); the others are in serve() meanwhile:
///
///     GroupTarget target(groups.group, std::move(model));
///     if (!groups.group.is_root()) return target.serve();
///     sample(groups.leaders, target, …);
///     target.release();
///
/// An evaluation is a broadcast of θ and one message back from each rank with the pieces of its blocks; where the leader
/// holds all blocks, as those of a few thousand cells, nothing is sent. What depends on θ alone (prior, transforms, closed
/// forms) is the leader's. Clones belong to the same group: one of them may evaluate at a time, on the thread that calls
/// MPI (samplers get one thread, the model as many as it likes).
///
/// An exception in the model on any rank leaves evaluate() as its Error, and the group goes on waiting; so it does while
/// the leader does other things. The ranks are released by release() or when the leader's last clone is gone, by whatever
/// exception. A rank outside the group that fails ends the waiting as everywhere in the error domain (collectively.hpp).
class GroupTarget final : public Target {
 public:
  /// @param model  on every rank the same but for the blocks that it holds: together all, in the order of the ranks
  /// Collective over the group.
  GroupTarget(const Communicator& group, std::unique_ptr<BlockModel> model);
  GroupTarget(const GroupTarget&) = delete;
  GroupTarget& operator=(const GroupTarget&) = delete;
  ~GroupTarget() override;

  /// Works for the leader until it releases this rank. @pre not on the leader
  void serve();
  /// Lets the others return from serve(); nothing can be evaluated afterwards. Without effect the second time.
  /// @pre on the leader
  void release();

  using Target::evaluate;
  /// @pre on the leader, unless released
  LogDensity evaluate(std::span<const double> u, std::span<double> reference_gradient,
                      std::span<double> likelihood_gradient) override;
  bool has_gradient() const override;
  bool samples_reference() const override;
  bool normalised_reference() const override;
  std::optional<std::string> improper_parameter() const override;
  void sample_reference(RandomStream& stream, std::span<double> u) override;
  /// The representative of θ(u): see BlockModel.
  void constrain(std::span<const double> u, std::span<double> theta) const override;
  std::unique_ptr<Target> clone() const override;

  const BlockModel& model() const;

 private:
  explicit GroupTarget(std::unique_ptr<detail::GroupModel> model);

  detail::GroupModel* model_;  ///< of target_
  std::unique_ptr<Target> target_;
};

/// Ranks in groups that evaluate a target together, and those that run the sampler.
struct RankGroups {
  Communicator group;    ///< of this rank
  Communicator leaders;  ///< rank 0 of each group; of size 0 on the others
  int groups = 1;
};

/// ⌊P / ranks_a_group⌋ groups (at least one) of consecutive ranks of nearly equal number: what is left over makes some
/// of them larger by one. Collective. @pre ranks_a_group ≥ 1
RankGroups split_into_groups(const Communicator& ranks, int ranks_a_group);

}  // namespace tempera
