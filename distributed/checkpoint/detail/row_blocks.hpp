#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "distributed/checkpoint/detail/digests.hpp"

namespace tempera::detail {

/// Rows of a matrix on this rank, in a buffer whose rows are `stride_bytes` apart.
template <class Byte>
struct RowBuffer {
  std::span<const Index> rows;  ///< global row of each
  Byte* data = nullptr;
  std::size_t stride_bytes = 0;
};
using RowSource = RowBuffer<const std::byte>;
using RowTarget = RowBuffer<std::byte>;

/// Rows of a checksummed block: about a mebibyte, more where the index would get long. Depends on the shape only.
Index rows_of_block(const ArraySpec& array);

/// Writes a matrix of which every rank has some rows: they go to the rank that writes their block, in rounds, so that
/// no rank ever holds more than a few mebibytes (or one block) beside its own. Rows that nobody has become zero.
/// Returns the checksums of the blocks this rank wrote. Collective.
/// @pre source.rows increasing, no row on two ranks
std::vector<BlockDigest> write_row_blocks(const Communicator& ranks, const RawFile& file, const StoredRows& stored,
                                          const RowSource& source);

/// The way back: each rank gets the rows it asks for, in any order, also rows that others get too; what is read is
/// verified. Collective.
void read_row_blocks(const Communicator& ranks, const RawFile& file, const StoredRows& stored,
                     const BlockDigests& region, const RowTarget& target);

}  // namespace tempera::detail
