#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "distributed/checkpoint/checkpoint_reader.hpp"
#include "distributed/checkpoint/checkpoint_writer.hpp"
#include "distributed/checkpoint/generation_index.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

/// The checkpoints of one run: a folder of generations, each complete or absent.
///
///     generation-000007/index.json    what there is, with checksums of every byte
///     generation-000007/objects.bin   small objects (Boost.Serialization)
///     generation-000007/arrays.h5     matrices by global row (HDF5)
///     NAME.segment                    what only grows, shared by the generations
///
/// A generation is written under a hidden name, brought to the disk and renamed; the last two are kept. Its bytes and
/// its number of files do not depend on the number of ranks, and any number of ranks can go on from it. One run at a
/// time may write to a folder (see FolderLock).
class CheckpointStore {
 public:
  /// Touches nothing yet. `identity` is stored with every generation.
  CheckpointStore(std::filesystem::path folder, RunIdentity identity);

  const std::filesystem::path& folder() const { return folder_; }

  /// Opens the newest generation that is whole. Collective.
  /// @param warn  called on rank 0 with what is damaged, where an older generation has to serve
  /// @return nothing if there are no generations at all
  /// @throws Error{input} if there are some and none is whole; Error{environment} if a newer program wrote the newest;
  ///         Error{usage} naming the difference if it belongs to another configuration or input
  std::optional<CheckpointReader> open_newest(const Communicator& ranks,
                                              const std::function<void(const std::string&)>& warn);

  /// Writes a new generation; `parts` names the state on every rank. Older generations than the one before are removed.
  /// Collective, over the same ranks each time (a scope of its own: no outer one is needed).
  /// @param progress  where the computation stands (rank 0's counts)
  /// @return what was written, on rank 0
  /// @throws Error{environment}, the same on all ranks; the generations that were there are untouched then, and the
  ///         caller may go on and try again later
  GenerationInfo write(const Communicator& ranks, const nlohmann::ordered_json& progress,
                       const std::function<void(CheckpointWriter&)>& parts);

  /// Removes every generation, segment and leftover; on rank 0 alone.
  static void clear(const std::filesystem::path& folder);

 private:
  GenerationInfo write_files(const Communicator& ranks, const nlohmann::ordered_json& progress,
                             const CheckpointWriter& writer);
  void check_identity(const GenerationIndex& index, const std::filesystem::path& path) const;
  void prepare();
  void publish(const GenerationIndex& index);
  void prune() const;
  std::filesystem::path partial() const;

  std::filesystem::path folder_;
  RunIdentity identity_;
  int last_good_ = 0;  // generation that was written or read last
  int next_ = 0;       // 0: not known yet
};

}  // namespace tempera
