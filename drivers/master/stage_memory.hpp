#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/base/index.hpp"
#include "drivers/master/engine_options.hpp"

namespace tempera::drivers {

/// About how much memory a run takes on its fullest rank, beside what every process takes (some 50 MB).
struct StageMemory {
  std::optional<double> bytes;  ///< nothing: not known
  bool at_least = false;        ///< what depends on the sizes of the modes is not in it
};
/// "120 MiB", "over 12 MiB", "unknown"
std::string text_of(const StageMemory& memory);

/// What an input takes, from its header, its size on disk and the first lines; small text is read.
struct InputSize {
  double cells = 0;  ///< stored
  bool dense = false;
  int order = 0;
  std::vector<Index> shape;  ///< empty: not known
};

/// Estimates memory; remembers the inputs it has looked at.
class MemoryEstimator {
 public:
  /// Of a run on `ranks` ranks. Decompose: cells in a tree a mode, factors, and what a sweep needs beside them, dealt evenly;
  /// without what ADMM, restarts and orthogonality add (see CpMemory for all of it). Sample: the same cells, or draws.
  /// @throws Error for an input that cannot be read
  StageMemory estimate(EngineOptions& options, int ranks);

 private:
  const InputSize& size_of(const std::string& input, const std::optional<std::vector<std::int64_t>>& dims,
                           std::int64_t index_base);

  std::map<std::string, InputSize> inputs_;
};

}  // namespace tempera::drivers
