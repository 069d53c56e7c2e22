#pragma once

#include <string>

#include "core/base/region_table.hpp"

namespace tempera {

/// Who recorded the passes, as a viewer shows it.
struct TraceRank {
  int rank = 0;
  int node = 0;      ///< number of its node
  std::string host;  ///< name of its node
};

/// The passes that a table has recorded as events of one rank in the trace event format that Perfetto, chrome://tracing and
/// speedscope read: the names of node and rank, then one complete event ("ph": "X") a pass, times in microseconds, with the
/// messages and bytes sent meanwhile. A pass that still lasts ends now.
/// @param shift  seconds to add to the start of each
/// @return elements of a JSON array, each on a line that ends with a comma
std::string trace_events(const RegionTable& table, const TraceRank& rank, double shift);

/// The element, without a comma, that says how many passes of all ranks were not kept.
std::string trace_end(std::int64_t left_out);

}  // namespace tempera
