#include "distributed/tempering/draw_store.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/error.hpp"

namespace tempera {

namespace {

constexpr std::size_t kBufferNumbers = std::size_t{1} << 17;  // a mebibyte waits before it is written
constexpr Index kReadNumbers = Index{1} << 19;

}  // namespace

void DrawStore::begin_round(Index streams, Index draws) {
  streams_ = streams;
  draws_ = draws;
}

void MemoryDraws::begin_round(Index streams, Index draws) {
  DrawStore::begin_round(streams, draws);
  places_.clear();
  values_.clear();
}

void MemoryDraws::put(Index stream, Index draw, std::span<const double> record) {
  places_.push_back(draw * streams_ + stream);
  values_.insert(values_.end(), record.begin(), record.end());
}

std::vector<double> MemoryDraws::columns(const Communicator& ranks, Index first, Index count) const {
  const Index range[] = {first, count};
  const auto ranges = ranks.all_gather(std::span<const Index>(range));
  std::vector<double> send;
  std::vector<Index> counts;
  for (std::size_t q = 0; q < ranges.size() / 2; ++q) {
    const std::size_t before = send.size();
    for (std::size_t k = 0; k < places_.size() && ranges[2 * q + 1] > 0; ++k) {
      send.push_back(static_cast<double>(places_[k]));
      const auto begin = values_.begin() + static_cast<Index>(k) * width_ + ranges[2 * q];
      send.insert(send.end(), begin, begin + ranges[2 * q + 1]);
    }
    counts.push_back(static_cast<Index>(send.size() - before));
  }
  const auto received = ranks.all_to_all(std::span<const double>(send), std::span<const Index>(counts));
  std::vector<double> columns(static_cast<std::size_t>(count * streams_ * draws_));
  for (std::size_t at = 0; at < received.size(); at += static_cast<std::size_t>(1 + count)) {
    const Index place = static_cast<Index>(received[at]), stream = place % streams_, draw = place / streams_;
    for (Index c = 0; c < count; ++c)
      columns[static_cast<std::size_t>((c * streams_ + stream) * draws_ + draw)] =
          received[at + 1 + static_cast<std::size_t>(c)];
  }
  return columns;
}

std::vector<double> MemoryDraws::records(const Communicator& ranks, Index first, Index count) const {
  std::vector<double> mine;
  for (std::size_t k = 0; k < places_.size(); ++k) {
    if (places_[k] < first * streams_ || places_[k] >= (first + count) * streams_) continue;
    mine.push_back(static_cast<double>(places_[k]));
    const auto begin = values_.begin() + static_cast<Index>(k) * width_;
    mine.insert(mine.end(), begin, begin + width_);
  }
  const auto all = ranks.gather(std::span<const double>(mine), 0);
  std::vector<double> records(all.empty() ? 0 : static_cast<std::size_t>(count * streams_ * width_));
  for (std::size_t at = 0; at < all.size(); at += static_cast<std::size_t>(1 + width_)) {
    const Index place = static_cast<Index>(all[at]) - first * streams_;
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(at) + 1, width_, records.begin() + place * width_);
  }
  return records;
}

SegmentDraws::SegmentDraws(const Communicator& ranks, const std::filesystem::path& folder, Index width,
                           const CheckpointReader* from)
    : DrawStore(width), segment_(ranks, folder, "draws", from), limit_(kBufferNumbers) {}

void SegmentDraws::begin_round(Index streams, Index draws) {
  flush();
  base_ += record_bytes() * streams_ * draws_;
  DrawStore::begin_round(streams, draws);
}

void SegmentDraws::restore(std::int64_t base, Index streams, Index draws) {
  base_ = base;
  DrawStore::begin_round(streams, draws);
}

void SegmentDraws::put(Index stream, Index draw, std::span<const double> record) {
  places_.push_back(draw * streams_ + stream);
  waiting_.insert(waiting_.end(), record.begin(), record.end());
  if (waiting_.size() < limit_) return;
  try {
    flush();
    limit_ = kBufferNumbers;
  } catch (const Error&) {  // a full disk may have room later; save() and publish() tell
    limit_ *= 2;
  }
}

/// Neighbours go out together.
void SegmentDraws::flush() {
  std::vector<std::size_t> order(places_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return places_[a] < places_[b]; });
  std::vector<double> run;
  for (std::size_t k = 0; k < order.size();) {
    const std::int64_t begin = places_[order[k]];
    run.clear();
    for (std::int64_t next = begin; k < order.size() && places_[order[k]] == next; ++k, ++next) {
      const auto from = waiting_.begin() + static_cast<Index>(order[k]) * width_;
      run.insert(run.end(), from, from + width_);
    }
    segment_.write(base_ + begin * record_bytes(), std::as_bytes(std::span(run)));
  }
  places_.clear();
  waiting_.clear();
}

void SegmentDraws::save(CheckpointWriter& writer, Index draws) {
  flush();
  writer.segment(segment_, base_ + record_bytes() * streams_ * draws);
}

void SegmentDraws::publish(const Communicator& ranks) {
  flush();
  segment_.publish(ranks);
}

std::vector<double> SegmentDraws::columns(const Communicator&, Index first, Index count) const {
  std::vector<double> columns(static_cast<std::size_t>(count * streams_ * draws_));
  if (count == 0) return columns;
  // Whole records where most of them is wanted, else the wanted part of each.
  const bool whole = 8 * count >= width_;
  const Index block = whole ? std::max<Index>(1, kReadNumbers / width_) : 1;
  std::vector<double> buffer;
  for (Index begin = 0; begin < streams_ * draws_; begin += block) {
    const Index length = std::min(block, streams_ * draws_ - begin);
    buffer.resize(static_cast<std::size_t>(whole ? length * width_ : count));
    segment_.read(base_ + begin * record_bytes() + (whole ? 0 : 8 * first), std::as_writable_bytes(std::span(buffer)));
    const Index from = whole ? first : 0, stride = whole ? width_ : count;
    for (Index k = 0; k < length; ++k)
      for (Index c = 0; c < count; ++c)
        columns[static_cast<std::size_t>((c * streams_ + (begin + k) % streams_) * draws_ + (begin + k) / streams_)] =
            buffer[static_cast<std::size_t>(k * stride + from + c)];
  }
  return columns;
}

std::vector<double> SegmentDraws::records(const Communicator& ranks, Index first, Index count) const {
  if (!ranks.is_root()) return {};
  std::vector<double> records(static_cast<std::size_t>(count * streams_ * width_));
  segment_.read(base_ + first * streams_ * record_bytes(), std::as_writable_bytes(std::span(records)));
  return records;
}

}  // namespace tempera
