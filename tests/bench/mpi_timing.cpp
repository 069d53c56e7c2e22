#include "tests/bench/mpi_timing.hpp"

#include <numeric>

namespace tempera::bench {

Timing time_on_all(const Communicator& world, const std::function<void()>& body, const std::function<void()>& prepare) {
  std::vector<double> seconds;
  double spent = 0;
  for (int run = 0; run <= kLeastRuns || (spent < kMeasureSeconds && run < kMostRuns); ++run) {
    if (prepare) prepare();
    world.barrier();
    const double start = seconds_now();
    body();
    const double elapsed = world.all_reduce_value(seconds_now() - start, Reduction::maximum);
    if (run == 0) continue;
    seconds.push_back(elapsed);
    spent += elapsed;
  }
  return timing_of(std::move(seconds));
}

double bytes_sent(const Communicator& world, const std::function<void()>& body) {
  const auto total = [&] {
    const auto& rows = world.regions().rows();
    return std::accumulate(rows.begin(), rows.end(), std::int64_t{0},
                           [](std::int64_t sum, const RegionTable::Row& row) { return sum + row.bytes; });
  };
  const std::int64_t before = total();
  body();
  return static_cast<double>(world.all_reduce_value(total() - before, Reduction::sum));
}

double region_seconds(const Communicator& world, const std::string& name) {
  double seconds = 0;
  for (const RegionTable::Row& row : world.regions().rows())
    if (row.path.ends_with("/" + name)) seconds += row.seconds;
  return world.all_reduce_value(seconds, Reduction::sum) / world.size();
}

bool all_of(const Communicator& world, bool mine) {
  return world.all_reduce_value(mine ? 1 : 0, Reduction::minimum) == 1;
}

}  // namespace tempera::bench
