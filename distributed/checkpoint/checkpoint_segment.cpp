#include "distributed/checkpoint/checkpoint_segment.hpp"

#include <algorithm>

#include "core/base/contract.hpp"
#include "distributed/checkpoint/checkpoint_reader.hpp"
#include "distributed/checkpoint/detail/digests.hpp"

namespace tempera {

namespace {

constexpr std::int64_t kBlockBytes = std::int64_t{4} << 20;

[[maybe_unused]] bool is_plain_name(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
}

StoredFile empty_or_stored(const std::string& name, const CheckpointReader* from) {
  TEMPERA_EXPECTS(is_plain_name(name));
  if (from != nullptr)
    if (const StoredFile* stored = from->segment(name)) return *stored;
  return {name + ".segment", true, 0, {{0, 0, kBlockBytes, {}}}};
}

/// Rank 0 makes or cuts the file before the others open it.
detail::RawFile open(const Communicator& ranks, const std::filesystem::path& path, std::int64_t bytes) {
  if (ranks.is_root()) {
    const detail::RawFile file(path, detail::RawFile::Mode::create);
    file.resize(bytes);
    file.sync();
  }
  ranks.barrier();
  return {path, detail::RawFile::Mode::write_existing};
}

}  // namespace

CheckpointSegment::CheckpointSegment(const Communicator& ranks, const std::filesystem::path& folder,
                                     const std::string& name, const CheckpointReader* from)
    : stored_(empty_or_stored(name, from)), file_(open(ranks, folder / stored_.name, stored_.bytes)) {}

void CheckpointSegment::write(std::int64_t offset, std::span<const std::byte> bytes) {
  TEMPERA_EXPECTS(offset >= stored_.bytes);
  file_.write(offset, bytes);
}

void CheckpointSegment::publish(const Communicator& ranks) {
  file_.sync();
  ranks.barrier();
  file_.reopen();  // network file systems show what others wrote to those who open
}

const StoredFile& CheckpointSegment::commit(const Communicator& ranks, std::int64_t length) {
  TEMPERA_EXPECTS(length >= stored_.bytes);
  file_.sync();
  ranks.barrier();
  BlockDigests& region = stored_.regions.front();
  const std::int64_t first = region.bytes / kBlockBytes;  // the last block, if it was not full, is read again
  BlockDigests extended{0, length, kBlockBytes, region.sha256};
  if (ranks.is_root()) extended.sha256.resize(static_cast<std::size_t>(extended.blocks()));
  const std::int64_t fresh = extended.blocks() - first;
  std::vector<detail::BlockDigest> mine;
  std::vector<std::byte> buffer;
  for (std::int64_t k = fresh * ranks.rank() / ranks.size(); k < fresh * (ranks.rank() + 1) / ranks.size(); ++k) {
    const std::int64_t begin = (first + k) * kBlockBytes;
    buffer.resize(static_cast<std::size_t>(std::min(kBlockBytes, length - begin)));
    file_.read(begin, buffer);
    mine.emplace_back(0, first + k, detail::sha256(buffer));
  }
  std::vector<BlockDigests> regions{std::move(extended)};
  detail::gather_digests(ranks, mine, regions);
  region = std::move(regions.front());
  stored_.bytes = length;
  return stored_;
}

}  // namespace tempera
