#include "distributed/checkpoint/detail/digests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/base/error.hpp"
#include "distributed/communicator/objects.hpp"

namespace tempera::detail {

BlockDigest::BlockDigest(std::int64_t of_region, std::int64_t of_block, const std::string& digest)
    : region(of_region), block(of_block) {
  std::copy_n(digest.begin(), sizeof(sha256), sha256);
}

void gather_digests(const Communicator& ranks, const std::vector<BlockDigest>& mine,
                    std::vector<BlockDigests>& regions) {
  for (const BlockDigest& one : ranks.gather(std::span<const BlockDigest>(mine), 0))
    regions[static_cast<std::size_t>(one.region)].sha256[static_cast<std::size_t>(one.block)].assign(
        one.sha256, sizeof(one.sha256));
}

BlockDigests digest_range(const RawFile& file, std::int64_t offset, std::int64_t bytes, std::int64_t block_bytes) {
  BlockDigests region{offset, bytes, block_bytes, {}};
  std::vector<std::byte> buffer;
  for (std::int64_t done = 0; done < bytes; done += block_bytes) {
    buffer.resize(static_cast<std::size_t>(std::min(block_bytes, bytes - done)));
    file.read(offset + done, buffer);
    region.sha256.push_back(sha256(buffer));
  }
  return region;
}

void read_verified(const RawFile& file, const BlockDigests& region, std::int64_t block,
                   std::vector<std::byte>& buffer) {
  const std::int64_t begin = block * region.block_bytes;
  buffer.resize(static_cast<std::size_t>(std::min(region.block_bytes, region.bytes - begin)));
  file.read(region.offset + begin, buffer);
  if (sha256(buffer) != region.sha256[static_cast<std::size_t>(block)])
    throw Error(Category::input, file.path().string(),
                fmt::format("bytes {} to {} are damaged: their checksum does not fit", region.offset + begin,
                            region.offset + begin + std::ssize(buffer) - 1));
}

namespace {

/// Blocks first ≤ k < last of all blocks of the files, in their order.
void verify_blocks(const std::filesystem::path& store, const std::filesystem::path& generation,
                   const std::vector<StoredFile>& files, std::int64_t first, std::int64_t last) {
  std::int64_t begin = 0;
  std::vector<std::byte> buffer;
  for (const StoredFile& stored : files) {
    std::optional<RawFile> file;
    for (const BlockDigests& region : stored.regions) {
      const std::int64_t end = begin + region.blocks();
      for (std::int64_t k = std::max(first, begin); k < std::min(last, end); ++k) {
        if (!file) file.emplace((stored.segment ? store : generation) / stored.name, RawFile::Mode::read);
        read_verified(*file, region, k - begin, buffer);
      }
      begin = end;
    }
  }
}

void verify_sizes(const std::filesystem::path& store, const std::filesystem::path& generation,
                  const std::vector<StoredFile>& files) {
  for (const StoredFile& stored : files) {
    const RawFile file((stored.segment ? store : generation) / stored.name, RawFile::Mode::read);
    const std::int64_t size = file.size();
    if (stored.segment ? size < stored.bytes : size != stored.bytes)
      throw Error(Category::input, file.path().string(),
                  fmt::format("has {} bytes where {} were written", size, stored.bytes));
  }
}

}  // namespace

std::string verify_files(const Communicator& ranks, const std::filesystem::path& store,
                         const std::filesystem::path& generation, const std::vector<StoredFile>& files) {
  std::int64_t blocks = 0;
  for (const StoredFile& file : files)
    for (const BlockDigests& region : file.regions) blocks += region.blocks();
  std::string problem;
  try {
    if (ranks.is_root()) verify_sizes(store, generation, files);
    verify_blocks(store, generation, files, blocks * ranks.rank() / ranks.size(),
                  blocks * (ranks.rank() + 1) / ranks.size());
  } catch (const Error& error) {
    problem = fmt::format("{}: {}", error.where(), error.what_is_wrong());
  }
  const auto problems = ranks.gather_objects(problem, 0);
  if (ranks.is_root()) {
    const auto first = std::find_if(problems.begin(), problems.end(), [](const auto& text) { return !text.empty(); });
    problem = first == problems.end() ? "" : *first;
  }
  ranks.broadcast_object(problem, 0);
  return problem;
}

}  // namespace tempera::detail
