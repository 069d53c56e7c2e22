#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/checkpoint/detail/raw_file.hpp"
#include "distributed/checkpoint/generation_index.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera::detail {

/// Checksum of one block, as ranks send it to rank 0.
struct BlockDigest {
  std::int64_t region = 0;
  std::int64_t block = 0;
  char sha256[64] = {};

  BlockDigest() = default;
  BlockDigest(std::int64_t of_region, std::int64_t of_block, const std::string& digest);
};

/// Fills in on rank 0, which writes the index, the checksums that the ranks have computed. Collective.
void gather_digests(const Communicator& ranks, const std::vector<BlockDigest>& mine,
                    std::vector<BlockDigests>& regions);

/// Checksums of all blocks of a byte range, read by this rank alone.
BlockDigests digest_range(const RawFile& file, std::int64_t offset, std::int64_t bytes, std::int64_t block_bytes);

/// Reads block `block` of a region into `buffer` and compares its checksum.
/// @throws Error{input} saying which bytes of which file are damaged
void read_verified(const RawFile& file, const BlockDigests& region, std::int64_t block, std::vector<std::byte>& buffer);

/// Verifies all files of a generation; the blocks are dealt out over the ranks. Returns what is wrong with it, the same
/// on all ranks, or "". Collective.
std::string verify_files(const Communicator& ranks, const std::filesystem::path& store,
                         const std::filesystem::path& generation, const std::vector<StoredFile>& files);

}  // namespace tempera::detail
