#pragma once

#include <memory>
#include <optional>

#include "distributed/als/cp_als.hpp"
#include "drivers/commands/decompose_options.hpp"
#include "drivers/commands/decomposition.hpp"

namespace tempera::drivers {

/// The file that --init names, as the manifest remembers it.
struct StartFile {
  std::filesystem::path path;  ///< absolute
  std::string sha256;
};

/// Nothing for random and nvecs. Collective.
///
/// A new run checks the file: that it holds a model of this shape and rank. A run that goes on takes it from its manifest
/// and opens it only if there is no checkpoint yet.
/// @throws Error{input} naming both shapes, Error{usage} for a word that was not meant as a file
std::optional<StartFile> find_start_file(const Communicator& world, const DecomposeOptions& options,
                                         const std::optional<ResumedRun>& resume, std::span<const Index> shape);

/// What the engine is told of where to begin.
void set_start(CpOptions& cp, const DecomposeOptions& options, const std::optional<StartFile>& file);

/// Groups of ranks that make starts at the same time: as --start-groups says, or for "auto" the number with which all
/// starts should end first, as far as each group has room for the tensor. Collective.
///
/// A sweep is taken to be min(q, 1 + cells / 100,000) times as fast on q ranks as on one: below that, messages cost more
/// than they save.
/// @param free_bytes  of memory left for this rank
/// @throws Error{usage} for more groups than ranks
int choose_start_groups(const DecomposeOptions& options, const DistributedTensor& tensor, double free_bytes);

}  // namespace tempera::drivers
