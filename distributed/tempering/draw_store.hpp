#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/base/index.hpp"
#include "distributed/checkpoint/checkpoint_reader.hpp"
#include "distributed/checkpoint/checkpoint_writer.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// The draws of a round: records of `width` numbers, one for each (draw, stream), where a stream is a chain of a ladder
/// whose draws are kept. Made on any rank; read by columns or by rows on any other.
class DrawStore {
 public:
  explicit DrawStore(Index width) : width_(width) {}
  virtual ~DrawStore() = default;
  DrawStore(const DrawStore&) = delete;
  DrawStore& operator=(const DrawStore&) = delete;

  Index width() const { return width_; }
  Index streams() const { return streams_; }
  Index draws() const { return draws_; }

  /// Those of earlier rounds are forgotten. Every rank says the same. Not collective.
  virtual void begin_round(Index streams, Index draws);
  /// @pre each (stream, draw) of a round comes once, on one rank. Not collective.
  virtual void put(Index stream, Index draw, std::span<const double> record) = 0;
  /// When all draws of the round are made: from here on they can be read. Collective.
  virtual void publish(const Communicator& ranks) = 0;

  /// Columns first … first + count of all draws: that of column c, stream s and draw t at [(c streams + s) draws + t]. Each
  /// rank asks for its own range, which may be empty. Collective.
  virtual std::vector<double> columns(const Communicator& ranks, Index first, Index count) const = 0;
  /// On rank 0: the records of draws first … first + count, those of one draw for all streams side by side. Collective.
  virtual std::vector<double> records(const Communicator& ranks, Index first, Index count) const = 0;

 protected:
  Index width_, streams_ = 0, draws_ = 0;
};

/// Draws that stay in the memory of the ranks that made them.
class MemoryDraws final : public DrawStore {
 public:
  using DrawStore::DrawStore;
  void begin_round(Index streams, Index draws) override;
  void put(Index stream, Index draw, std::span<const double> record) override;
  void publish(const Communicator&) override {}
  std::vector<double> columns(const Communicator& ranks, Index first, Index count) const override;
  std::vector<double> records(const Communicator& ranks, Index first, Index count) const override;

 private:
  std::vector<Index> places_;  ///< draw · streams + stream
  std::vector<double> values_;
};

/// Draws in a segment beside the checkpoints: memory does not grow with them. Those of all rounds lie one after the other.
class SegmentDraws final : public DrawStore {
 public:
  /// Collective. @param from  what the run goes on from; may be null
  SegmentDraws(const Communicator& ranks, const std::filesystem::path& folder, Index width,
               const CheckpointReader* from);

  void begin_round(Index streams, Index draws) override;
  void put(Index stream, Index draw, std::span<const double> record) override;
  void publish(const Communicator& ranks) override;
  std::vector<double> columns(const Communicator& ranks, Index first, Index count) const override;
  std::vector<double> records(const Communicator& ranks, Index first, Index count) const override;

  /// The first `draws` draws of the round belong to a checkpoint.
  void save(CheckpointWriter& writer, Index draws);
  /// Where the round begins in the file, in bytes.
  std::int64_t base() const { return base_; }
  void restore(std::int64_t base, Index streams, Index draws);

 private:
  void flush();
  std::int64_t record_bytes() const { return 8 * width_; }

  CheckpointSegment segment_;
  std::int64_t base_ = 0;
  std::vector<std::int64_t> places_;  ///< of what waits to be written, in records from the base
  std::vector<double> waiting_;
  std::size_t limit_;  ///< of what may wait
};

}  // namespace tempera
