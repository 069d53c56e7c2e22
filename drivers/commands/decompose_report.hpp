#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/base/region_report.hpp"
#include "core/io/labels.hpp"
#include "distributed/als/collect.hpp"
#include "distributed/als/cp_als.hpp"
#include "distributed/tensor/distributed_tensor.hpp"
#include "drivers/commands/decompose_options.hpp"

namespace tempera::drivers {

/// All that rank 0 needs to describe a finished decomposition.
struct DecomposeFacts {
  std::vector<Index> shape;
  Index nonzeros = 0;
  bool sparse = false;       ///< stored as coordinates
  Index observed_cells = 0;  ///< that the fit is over, where others are not observed
  Index duplicates = 0;
  Index returned = 0;  ///< entries that could not be held out, with the first slice that would have become empty
  std::size_t returned_mode = 0;
  Index returned_index = 0;
  std::string storage;
  double balance = 1;
  ExchangedRows exchanged;
  std::vector<int> grid;
  int mpi_ranks = 1;
  int active_ranks = 1;
  double load_seconds = 0;
  double seconds = 0;                 ///< of the sweeps, all starts
  int total_iterations = 0;           ///< sweeps of all starts
  std::int64_t memory_bytes_max = 0;  ///< growth of resident memory since MPI started, most on one rank
  std::vector<std::vector<std::vector<TopEntry>>> top;  ///< mode, component, entries
  std::vector<RegionSummary> regions;
  std::optional<TensorLabels> labels;
};

/// summary.json
nlohmann::ordered_json decompose_summary(const DecomposeOptions& options, const CpResult& result,
                                         const DecomposeFacts& facts);

/// The same for people.
std::string decompose_text(const DecomposeOptions& options, const CpResult& result, const DecomposeFacts& facts,
                           const std::string& run_folder);

}  // namespace tempera::drivers
