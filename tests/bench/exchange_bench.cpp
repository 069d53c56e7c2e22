// Exchange of factor rows between the ranks of a layer, sparse and dense: partial sums to the owners, new rows to the
// ghosts. Bytes are those that all ranks send together; the bound is what memory would take to read and write them once.
//
//   mpirun -n 2 exchange_bench rows=1e5 rank=16 share=0.5
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/random_stream.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/environment.hpp"
#include "distributed/tensor/row_exchange.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/mpi_timing.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

/// The rows that a rank touches: each with this probability, whoever else does.
std::vector<Index> touched_rows(const Communicator& world, Index rows, double share) {
  std::vector<Index> touched;
  for (Index row = 0; row < rows; ++row)
    if (RandomStream(1, "bench-touched", {row, world.rank()}).uniform() < share) touched.push_back(row);
  return touched;
}

double value_of(Index row, Index column) {
  return std::sin(static_cast<double>(row + column));
}

void fill(FactorMatrix& matrix, const RowLayout& layout) {
  for (Index k = 0; k < layout.rows(); ++k)
    for (Index r = 0; r < matrix.columns(); ++r)
      matrix(k, r) = value_of(layout.global_rows[static_cast<std::size_t>(k)], r);
}

void bench_exchange(const Communicator& world, const std::string& kind, const RowExchange& exchange, Index rank,
                    Report& report) {
  const RowLayout& layout = exchange.layout();
  FactorMatrix matrix(layout.rows(), rank), ranks_touching(layout.rows(), 1);
  std::fill(ranks_touching.storage().begin(), ranks_touching.storage().end(), 1.0);
  exchange.reduce_to_owners(ranks_touching);

  double bytes = bytes_sent(world, [&] { exchange.reduce_to_owners(matrix); });
  const Timing reduce = time_on_all(
      world, [&] { exchange.reduce_to_owners(matrix); }, [&] { fill(matrix, layout); });
  bool correct = true;
  for (Index i = layout.owned_begin; i < layout.owned_begin + layout.owned_count; ++i)
    for (Index r = 0; r < rank; ++r) {
      const double expected = ranks_touching(i, 0) * value_of(layout.global_rows[static_cast<std::size_t>(i)], r);
      correct = correct && std::abs(matrix(i, r) - expected) <= 1e-14 * static_cast<double>(world.size());
    }
  const auto work = [](double moved) { return Work{0, {{2 * moved, 2 * moved}}}; };
  const std::string where = fmt::format("{}, rank {}, {} MPI ranks", kind, rank, world.size());
  report.add(where, "reduce to owners", reduce, work(bytes), all_of(world, correct), {{"bytes_sent", bytes}});

  fill(matrix, layout);
  bytes = bytes_sent(world, [&] { exchange.share_with_ghosts(matrix); });
  const Timing share = time_on_all(world, [&] { exchange.share_with_ghosts(matrix); });
  correct = true;
  for (Index k = 0; k < layout.rows(); ++k)
    for (Index r = 0; r < rank; ++r)
      correct = correct && matrix(k, r) == value_of(layout.global_rows[static_cast<std::size_t>(k)], r);
  report.add(where, "share with ghosts", share, work(bytes), all_of(world, correct), {{"bytes_sent", bytes}});
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv, {{"rows", "5e4"}, {"rank", "16,64"}, {"share", "0.2"}});
  const MpiEnvironment environment(argc, argv);
  const Communicator world(MPI_COMM_WORLD);
  return collectively(world, [&] {
    Report report("exchange", settings, world.is_root());
    for (const Index rows : settings.integers("rows"))
      for (const Index rank : settings.integers("rank")) {
        for (const double share : settings.numbers("share"))
          bench_exchange(world, fmt::format("sparse, {} rows touched by {:.0f} %", rows, 100 * share),
                         *sparse_row_exchange(world, touched_rows(world, rows, share)), rank, report);
        bench_exchange(world, fmt::format("dense, {} rows", rows), *dense_row_exchange(world, 0, rows), rank, report);
      }
    return report.finish();
  });
}
