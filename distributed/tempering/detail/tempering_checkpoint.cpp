#include "distributed/tempering/detail/tempering_checkpoint.hpp"

#include <algorithm>
#include <boost/serialization/vector.hpp>
#include <numeric>

namespace boost::serialization {

template <class Archive>
void serialize(Archive& archive, tempera::ChainTuning& tuning, unsigned) {
  archive& tuning.means& tuning.scales& tuning.covariance_factor& tuning.step_sizes;
}

template <class Archive>
void serialize(Archive& archive, tempera::ChainReport& report, unsigned) {
  archive& report.count& report.acceptance& report.proposals& report.divergences& report.saturations;
  for (tempera::StepSizeUse& use : report.step_sizes) archive& use.count& use.acceptance& use.log_ratio;
}

template <class Archive>
void serialize(Archive& archive, tempera::Evidence& e, unsigned) {
  archive& e.estimate& e.standard_error& e.forward& e.forward_error& e.reverse& e.reverse_error& e.stepping_stone& e
      .stepping_stone_error& e.thermodynamic& e.thermodynamic_error& e.disagree;
}

template <class Archive>
void serialize(Archive& archive, tempera::TemperingRound& r, unsigned) {
  archive& r.round& r.scans& r.sizes& r.schedule& r.rejections& r.rejection_sum& r.barrier& r.barrier_error& r
      .leg_barriers& r.evidence& r.legs& r.round_trips& r.restarts& r.ideal_round_trips& r.evaluations& r.gradients& r
      .invalid& r.reports& r.step_sizes;
}

template <class Archive>
void serialize(Archive& archive, tempera::detail::LaddersState& state, unsigned) {
  archive& state.sizes& state.betas& state.tunings& state.fitted;
}

template <class Archive>
void serialize(Archive& archive, tempera::detail::TemperingCheckpoint::Slab& slab, unsigned) {
  archive& slab.begin& slab.end& slab.offset;
}

}  // namespace boost::serialization

namespace tempera::detail {

namespace {

constexpr std::size_t kReplicaNumbers = 11;  // besides the coordinates

/// What is the same on all ranks.
struct Stored {
  TemperingPosition position;
  LaddersState ladders;
  std::vector<TemperingRound> rounds;
  std::int64_t draws_base = 0;
  Index draws_streams = 0, draws = 0;
  std::vector<TemperingCheckpoint::Slab> slabs;
  std::int64_t scans_bytes = 0;

  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& position.round& position.scan& ladders& rounds& draws_base& draws_streams& draws& slabs& scans_bytes;
  }
};

}  // namespace

TemperingCheckpoint::TemperingCheckpoint(const Communicator& ranks, Checkpoints& checkpoints, Ladders& ladders,
                                         Index draw_width)
    : ranks_(ranks), checkpoints_(checkpoints), ladders_(ladders), reader_(checkpoints.restore(ranks)) {
  const CheckpointReader* const from = reader_ ? &*reader_ : nullptr;
  if (ranks.is_root()) std::filesystem::create_directories(checkpoints.folder());
  draws_ = std::make_unique<SegmentDraws>(ranks, checkpoints.folder(), draw_width, from);
  scans_.emplace(ranks, checkpoints.folder(), "scans", from);
}

std::optional<TemperingPosition> TemperingCheckpoint::restore(std::vector<TemperingRound>& rounds) {
  if (!reader_) return std::nullopt;
  Stored stored;
  reader_->object("tempering", stored);
  ladders_.restore(stored.ladders);
  rounds = std::move(stored.rounds);
  draws_->restore(stored.draws_base, stored.draws_streams, stored.draws);
  slabs_ = std::move(stored.slabs);
  slab_round_ = stored.position.round;
  scans_bytes_ = stored.scans_bytes;
  restore_replicas();
  restore_statistics();
  restore_scans();
  restore_pairs(stored.position);
  reader_.reset();
  return stored.position;
}

void TemperingCheckpoint::fill_replicas() {
  replicas_ = {};
  for (const Replica& replica : ladders_.replicas()) {
    replicas_.numbers.push_back(replica.number);
    std::vector<double>& row = replicas_.values;
    row.insert(row.end(), replica.point.u.begin(), replica.point.u.end());
    row.push_back(replica.point.density.reference);
    row.push_back(replica.point.density.likelihood);
    for (const Index number :
         {replica.chain, Index{replica.leg}, static_cast<Index>(replica.end), static_cast<Index>(replica.fresh),
          replica.round_trips, replica.restarts, replica.evaluations, replica.gradients, replica.invalid})
      row.push_back(static_cast<double>(number));
  }
  replicas_.total = ranks_.all_reduce_value(std::ssize(replicas_.numbers), Reduction::sum);
  replicas_.width = static_cast<Index>(ladders_.dimension() + kReplicaNumbers);
}

void TemperingCheckpoint::read_rows(const char* name, Rows& rows) const {
  rows.width = reader_->array(name).columns;
  rows.values.resize(rows.numbers.size() * static_cast<std::size_t>(rows.width));
  reader_->rows(name, rows.width, std::span<const Index>(rows.numbers), rows.values.data(), rows.width);
}

void TemperingCheckpoint::restore_replicas() {
  Rows rows;
  for (const Replica& replica : ladders_.replicas()) rows.numbers.push_back(replica.number);
  read_rows("replicas", rows);
  auto at = rows.values.begin();
  for (Replica& replica : ladders_.replicas()) {
    replica.point.u.assign(at, at + static_cast<std::ptrdiff_t>(ladders_.dimension()));
    at += static_cast<std::ptrdiff_t>(ladders_.dimension());
    replica.point.density = {at[0], at[1]};
    replica.chain = static_cast<Index>(at[2]);
    replica.leg = static_cast<int>(at[3]);
    replica.end = static_cast<Replica::End>(at[4]);
    replica.fresh = at[5] != 0;
    replica.round_trips = static_cast<Index>(at[6]);
    replica.restarts = static_cast<Index>(at[7]);
    replica.evaluations = static_cast<Index>(at[8]);
    replica.gradients = static_cast<Index>(at[9]);
    replica.invalid = static_cast<Index>(at[10]);
    at += kReplicaNumbers;
  }
}

void TemperingCheckpoint::fill_pairs() {
  pairs_ = {};
  const auto [begin, end] = ladders_.board().homes();
  for (Index slot = begin; slot < end; ++slot) {
    const PairRecord& record = ladders_.board().records()[static_cast<std::size_t>(slot)];
    pairs_.numbers.push_back(slot);
    pairs_.values.push_back(record.rejection);
    pairs_.values.push_back(static_cast<double>(record.scans));
  }
  pairs_.total = ladders_.board().slots();
  pairs_.width = 2;
}

void TemperingCheckpoint::restore_pairs(const TemperingPosition& position) {
  ladders_.begin_round(position.round, std::max<Index>(0, position.scan));
  Rows rows;
  const auto [begin, end] = ladders_.board().homes();
  rows.numbers.resize(static_cast<std::size_t>(end - begin));
  std::iota(rows.numbers.begin(), rows.numbers.end(), begin);
  if (ladders_.board().slots() == 0) return;
  read_rows("pairs", rows);
  std::vector<PairRecord> records;
  for (std::size_t k = 0; k < rows.numbers.size(); ++k)
    records.push_back({rows.values[2 * k], static_cast<Index>(rows.values[2 * k + 1])});
  ladders_.board().restore(records);
}

/// Of the widest chain.
std::size_t TemperingCheckpoint::statistics_width() const {
  std::size_t width = 0;
  for (Index c = 0; c < ladders_.plan().chains(); ++c)
    width = std::max(width, ChainStatistics::width(ladders_.dimension(), ladders_.covariance(c)));
  return 1 + width;
}

/// As many rows a replica as the one that saw the most chains has; a row that is not there says chain −1 or 0 draws.
void TemperingCheckpoint::fill_statistics() {
  statistics_ = {};
  Index most = 1;
  for (const Replica& replica : ladders_.replicas()) most = std::max(most, std::ssize(replica.statistics));
  most = ranks_.all_reduce_value(most, Reduction::maximum);
  const std::size_t width = statistics_width();
  std::size_t records = 0;
  for (const Replica& replica : ladders_.replicas()) records += replica.statistics.size();
  statistics_.values.reserve(records * width);
  for (const Replica& replica : ladders_.replicas()) {
    Index row = most * replica.number;
    for (const auto& [chain, statistics] : replica.statistics) {
      statistics_.numbers.push_back(row++);
      statistics_.values.push_back(static_cast<double>(chain));
      statistics.append_to(statistics_.values);
      statistics_.values.resize(statistics_.numbers.size() * width, 0.0);
    }
  }
  statistics_.total = most * replicas_.total;
  statistics_.width = static_cast<Index>(width);
}

void TemperingCheckpoint::restore_statistics() {
  Rows rows;
  const Index total = reader_->array("statistics").rows, replicas = reader_->array("replicas").rows;
  const Index most = total / replicas;
  for (const Replica& replica : ladders_.replicas())
    for (Index k = 0; k < most; ++k) rows.numbers.push_back(most * replica.number + k);
  read_rows("statistics", rows);
  const std::span<const double> values(rows.values);
  std::size_t at = 0;
  for (Replica& replica : ladders_.replicas())
    for (Index k = 0; k < most; ++k, at += static_cast<std::size_t>(rows.width)) {
      const auto chain = static_cast<Index>(values[at]);
      const bool covariance = ladders_.covariance(chain);
      const std::size_t width = ChainStatistics::width(ladders_.dimension(), covariance);
      const ChainStatistics statistics(ladders_.dimension(), covariance, values.subspan(at + 1, width));
      if (statistics.count() > 0) replica.statistics.emplace(chain, statistics);
    }
}

void TemperingCheckpoint::write_scans(const Slab& slab) {
  const Index length = slab.end - slab.begin;
  std::vector<double> numbers;
  numbers.reserve(ladders_.replicas().size() * static_cast<std::size_t>(2 * length));
  for (const Replica& replica : ladders_.replicas())
    for (Index t = slab.begin; t < slab.end; ++t) {
      numbers.push_back(replica.likelihoods[static_cast<std::size_t>(t)]);
      numbers.push_back(static_cast<double>(replica.chains[static_cast<std::size_t>(t)]));
    }
  if (numbers.empty()) return;
  scans_->write(slab.offset + 16 * length * ladders_.replicas().front().number, std::as_bytes(std::span(numbers)));
}

void TemperingCheckpoint::restore_scans() {
  for (const Slab& slab : slabs_) {
    const Index length = slab.end - slab.begin;
    std::vector<double> numbers(static_cast<std::size_t>(2 * length));
    for (Replica& replica : ladders_.replicas()) {
      scans_->read(slab.offset + 16 * length * replica.number, std::as_writable_bytes(std::span(numbers)));
      for (std::size_t t = 0; t < static_cast<std::size_t>(length); ++t) {
        replica.likelihoods.push_back(numbers[2 * t]);
        replica.chains.push_back(static_cast<Index>(numbers[2 * t + 1]));
      }
    }
  }
}

template <class Save>
bool TemperingCheckpoint::with_parts(const TemperingPosition& position, const std::vector<TemperingRound>& rounds,
                                     Index draws_made, Save save) {
  if (slab_round_ != position.round) slabs_.clear();
  slab_round_ = position.round;
  {
    const auto region = ranks_.regions().open("checkpoint");
    fill_replicas();
    fill_pairs();
    fill_statistics();
  }
  const Index saved = slabs_.empty() ? 0 : slabs_.back().end;
  const Slab slab{saved, std::max(saved, position.scan), scans_bytes_};
  const std::int64_t bytes = scans_bytes_ + 16 * (slab.end - slab.begin) * replicas_.total;
  std::vector<Slab> slabs = slabs_;
  if (slab.end > slab.begin) slabs.push_back(slab);
  const Stored stored{position,          ladders_.state(), rounds, draws_->base(),
                      draws_->streams(), draws_->draws(),  slabs,  bytes};
  const auto parts = [&](CheckpointWriter& writer) {
    write_scans(slab);
    writer.object("tempering", stored);
    for (const auto& [name, rows] :
         {std::pair<const char*, Rows*>{"replicas", &replicas_}, {"pairs", &pairs_}, {"statistics", &statistics_}})
      if (rows->total > 0)
        writer.rows(name, rows->total, rows->width, std::span<const Index>(rows->numbers), rows->values.data(),
                    rows->width);
    draws_->save(writer, draws_made);
    writer.segment(*scans_, bytes);
  };
  if (!save(parts)) return false;
  slabs_ = std::move(slabs);
  scans_bytes_ = bytes;
  return true;
}

void TemperingCheckpoint::save(const TemperingPosition& position, const std::vector<TemperingRound>& rounds,
                               Index draws_made) {
  with_parts(position, rounds, draws_made, [&](const auto& parts) { return checkpoints_.save(ranks_, parts); });
}

void TemperingCheckpoint::save_end(const TemperingPosition& position, const std::vector<TemperingRound>& rounds,
                                   Index draws_made) {
  with_parts(position, rounds, draws_made, [&](const auto& parts) {
    checkpoints_.save_end(ranks_, parts);
    return true;
  });
}

}  // namespace tempera::detail
