#pragma once

#include <optional>
#include <vector>

#include "distributed/checkpoint/checkpoints.hpp"
#include "distributed/tempering/detail/ladders.hpp"

namespace tempera::detail {

/// Where a run stands between two scans.
struct TemperingPosition {
  static constexpr Index kNotBegun = -1;

  int round = 1;
  Index scan = kNotBegun;  ///< the next one; kNotBegun: the ladder is still to be cut anew for the round
};

/// State of a tempering run to and from generations: whatever the number of ranks, the same bytes. Likelihoods of the scans
/// and draws go to segments, each checkpoint adding what is new.
class TemperingCheckpoint {
 public:
  /// Collective.
  TemperingCheckpoint(const Communicator& ranks, Checkpoints& checkpoints, Ladders& ladders, Index draw_width);

  /// What the run goes on from, if there is a checkpoint: fills ladders, rounds and the draws. Collective.
  std::optional<TemperingPosition> restore(std::vector<TemperingRound>& rounds);
  SegmentDraws& draws() { return *draws_; }
  std::unique_ptr<DrawStore> take_draws() { return std::move(draws_); }

  /// Writes a generation; `draws_made` of the round at hand. Collective.
  void save(const TemperingPosition& position, const std::vector<TemperingRound>& rounds, Index draws_made);
  /// The same at the end of a run.
  void save_end(const TemperingPosition& position, const std::vector<TemperingRound>& rounds, Index draws_made);

  /// Likelihoods and chains of the scans [begin, end) of a round, replica after replica in the file.
  struct Slab {
    Index begin = 0, end = 0;
    std::int64_t offset = 0;
  };

 private:
  /// Rows of matrices by global number.
  struct Rows {
    std::vector<Index> numbers;
    std::vector<double> values;
    Index total = 0, width = 0;
  };
  template <class Save>
  bool with_parts(const TemperingPosition& position, const std::vector<TemperingRound>& rounds, Index draws_made,
                  Save save);
  void write_scans(const Slab& slab);
  void fill_replicas();
  void fill_pairs();
  void fill_statistics();
  void restore_replicas();
  void restore_pairs(const TemperingPosition& position);
  void restore_statistics();
  void restore_scans();
  void read_rows(const char* name, Rows& rows) const;
  std::size_t statistics_width() const;

  const Communicator& ranks_;
  Checkpoints& checkpoints_;
  Ladders& ladders_;
  std::optional<CheckpointReader> reader_;
  std::unique_ptr<SegmentDraws> draws_;
  std::optional<CheckpointSegment> scans_;
  std::vector<Slab> slabs_;  ///< of the round at hand
  int slab_round_ = 0;
  std::int64_t scans_bytes_ = 0;
  Rows replicas_, pairs_, statistics_;
};

}  // namespace tempera::detail
