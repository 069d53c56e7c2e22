#include "distributed/tempering/tempering.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/contract.hpp"
#include "distributed/tempering/detail/ladder_sizes.hpp"
#include "distributed/tempering/detail/ladders.hpp"
#include "distributed/tempering/detail/round_estimates.hpp"
#include "distributed/tempering/detail/tempering_checkpoint.hpp"
#include "distributed/tempering/pauses.hpp"

namespace tempera {

namespace {

using detail::Ladders;
using detail::TemperingCheckpoint;
using detail::TemperingPosition;

/// The rounds of one run.
class Run {
 public:
  Run(const Communicator& ranks, const Target& target, const Explorer& explorer, const TemperingOptions& options,
      const TemperingObserver& observer)
      : ranks_(ranks),
        options_(options),
        observer_(observer),
        normalised_prior_(target.normalised_reference()),
        ladders_(ranks, target, explorer, options) {
    if (observer.checkpoints != nullptr) {
      const auto region = ranks.regions().open("checkpoint");
      checkpoint_.emplace(ranks, *observer.checkpoints, ladders_, ladders_.record_width());
      pauses_.emplace(ranks, ladders_.board(), *observer.checkpoints);
      position_ = checkpoint_->restore(result_.rounds);
    } else {
      memory_ = std::make_unique<MemoryDraws>(ladders_.record_width());
    }
  }

  TemperingResult run() {
    if (!position_) {
      const auto region = ranks_.regions().open("start");
      ladders_.start();
    }
    TemperingPosition at = position_.value_or(TemperingPosition());
    const bool ended = at.scan == TemperingPosition::kNotBegun && !result_.rounds.empty();
    bool enough = ended && is_enough();
    for (; at.round <= options_.rounds && !enough; at = {at.round + 1, TemperingPosition::kNotBegun}) {
      if (!scans(at)) {
        result_.stopped = true;
        return std::move(result_);
      }
      enough = finish(at.round);
    }
    if (checkpoint_) checkpoint_->save_end(at, result_.rounds, draws().draws());
    result_.draws = checkpoint_ ? checkpoint_->take_draws() : std::move(memory_);
    return std::move(result_);
  }

 private:
  /// Where draws go.
  DrawStore& draws() { return memory_ ? *memory_ : static_cast<DrawStore&>(checkpoint_->draws()); }
  static Index scans_of(int round) { return Index{1} << round; }
  Index draws_until(Index scan) const { return (scan + options_.thin - 1) / options_.thin; }

  /// The scans of a round from `at` on; false if the run is to be left.
  bool scans(const TemperingPosition& at) {
    const Index scans = scans_of(at.round);
    if (at.scan == TemperingPosition::kNotBegun) {
      if (!result_.rounds.empty()) {
        const auto region = ranks_.regions().open("adapt");
        ladders_.adapt(result_.rounds.back(), detail::next_sizes(options_, result_.rounds.back()));
      }
      ladders_.begin_round(at.round, 0);
      draws().begin_round(options_.ladders * streams_of_ladder(options_, ladders_.plan().sizes()), draws_until(scans));
    }
    if (pauses_) pauses_->begin_round(scans);
    result_.round = at.round;
    for (Index scan = std::max<Index>(0, at.scan); scan < scans; ++scan) {
      result_.scan = scan;
      if (observer_.scan && ranks_.is_root()) observer_.scan(at.round, scan);
      if (pauses_ && pauses_here(scan) && !pause({at.round, scan})) return false;
      const std::optional<Index> draw =
          scan % options_.thin == 0 ? std::optional<Index>(scan / options_.thin) : std::nullopt;
      ladders_.scan(at.round, scan, draws(), draw);
    }
    result_.scan = scans;
    return !pauses_ || !ends_with_pause() || pause({at.round, scans});
  }

  /// Answers offers of ranks that are ahead as well, so that it belongs to the swaps.
  bool pauses_here(Index scan) {
    const auto region = ranks_.regions().open("swap");
    return pauses_->before(scan);
  }

  bool ends_with_pause() {
    const auto region = ranks_.regions().open("round end");
    return pauses_->at_end();
  }

  /// False if the run is to be left.
  bool pause(const TemperingPosition& at) {
    checkpoint_->save(at, result_.rounds, draws_until(at.scan));
    return !pauses_->leaving();
  }

  bool finish(int round) {
    {
      const auto region = ranks_.regions().open("estimate");
      result_.rounds.push_back(detail::estimate_round(ranks_, options_, ladders_, ladders_.board().records(),
                                                      normalised_prior_, round, scans_of(round)));
    }
    draws().publish(ranks_);
    if (observer_.round) observer_.round(result_.rounds.back(), draws());
    return is_enough();
  }

  bool is_enough() {
    if (!observer_.enough) return false;
    const auto region = ranks_.regions().open("criterion");
    return observer_.enough(result_.rounds.back(), draws());
  }

  const Communicator& ranks_;
  const TemperingOptions& options_;
  const TemperingObserver& observer_;
  bool normalised_prior_;
  Ladders ladders_;
  std::optional<TemperingCheckpoint> checkpoint_;
  std::optional<Pauses> pauses_;
  std::unique_ptr<MemoryDraws> memory_;
  std::optional<TemperingPosition> position_;
  TemperingResult result_;
};

}  // namespace

Index streams_of_ladder(const TemperingOptions& options, std::span<const Index> sizes) {
  if (!options.keep_all) return std::ssize(sizes);
  return std::accumulate(sizes.begin(), sizes.end(), Index{0});
}

std::vector<Index> target_streams(const TemperingOptions& options, std::span<const Index> sizes) {
  const Index all = streams_of_ladder(options, sizes);
  std::vector<Index> streams;
  for (Index ladder = 0; ladder < options.ladders; ++ladder)
    for (Index leg = 0; leg < std::ssize(sizes); ++leg)
      streams.push_back(ladder * all + (options.keep_all ? sizes[0] - 1 + leg : leg));
  return streams;
}

TemperingResult sample_by_tempering(const Communicator& ranks, const Target& target, const Explorer& explorer,
                                    const TemperingOptions& options, const TemperingObserver& observer) {
  TEMPERA_EXPECTS(options.ladders >= 1 && options.rounds >= 1 && options.thin >= 1 && options.threads >= 1);
  TEMPERA_EXPECTS(options.chains >= 0 &&
                  (options.reference != TemperingReference::two_legs || options.chains == 0 || options.chains >= 4));
  const auto region = ranks.regions().open("tempering");
  return Run(ranks, target, explorer, options, observer).run();
}

}  // namespace tempera
