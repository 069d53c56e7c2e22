#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "distributed/checkpoint/detail/raw_file.hpp"
#include "distributed/checkpoint/generation_index.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

class CheckpointReader;

/// A file beside the generations that only grows: draws, a journal. Each generation records how far it had come, so
/// that a checkpoint costs what is new; what lies beyond the recorded length is dropped when a run goes on.
class CheckpointSegment {
 public:
  /// Opens NAME.segment in the folder of the store, with the content that `from` recorded, or empty. Collective.
  /// @throws Error{environment} @pre name: letters, digits, '-' and '_'
  CheckpointSegment(const Communicator& ranks, const std::filesystem::path& folder, const std::string& name,
                    const CheckpointReader* from = nullptr);

  /// Writes bytes at a place that depends on what they are, not on who writes them. Local.
  /// @pre offset ≥ length() @throws Error{environment}
  void write(std::int64_t offset, std::span<const std::byte> bytes);
  /// Makes what every rank has written so far readable on all of them. Collective. @throws Error
  void publish(const Communicator& ranks);
  /// Reads what any rank wrote before the last checkpoint or publish(), or this rank since. Local. @throws Error{input}
  void read(std::int64_t offset, std::span<std::byte> bytes) const { file_.read(offset, bytes); }
  /// Bytes that the last checkpoint holds.
  std::int64_t length() const { return stored_.bytes; }

 private:
  friend class CheckpointWriter;
  /// Brings the first `length` bytes to the disk and extends the checksums. Collective.
  const StoredFile& commit(const Communicator& ranks, std::int64_t length);

  StoredFile stored_;
  detail::RawFile file_;
};

}  // namespace tempera
