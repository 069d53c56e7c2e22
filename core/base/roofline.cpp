#include "core/base/roofline.hpp"

#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/base/contract.hpp"
#include "core/base/detail/roofline_kernels.hpp"
#include "core/base/simd.hpp"

namespace tempera {

namespace {

constexpr std::size_t kDoublesALine = 8;
/// Arrays begin on a cache line: vector loads that straddle two would cost a quarter of the bandwidth.
struct alignas(64) CacheLine {
  double values[kDoublesALine];
};

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

auto triad_kernel() {
#if defined(__x86_64__)
  if (simd_level() == SimdLevel::avx512) return avx512::triad;
  if (simd_level() == SimdLevel::avx2) return avx2::triad;
#endif
  return baseline::triad;
}

auto burst_kernel() {
#if defined(__x86_64__)
  if (simd_level() == SimdLevel::avx512) return avx512::multiply_add_burst;
  if (simd_level() == SimdLevel::avx2) return avx2::multiply_add_burst;
#endif
  return baseline::multiply_add_burst;
}

}  // namespace

double measure_triad(std::int64_t footprint, double seconds) {
  TEMPERA_EXPECTS(footprint >= 24 * 1024 && seconds > 0);
  const auto lines = static_cast<std::size_t>(footprint / (3 * sizeof(CacheLine)));
  const std::size_t n = lines * kDoublesALine;
  std::vector<CacheLine> a(lines, CacheLine{});
  std::vector<CacheLine> b(lines, CacheLine{{1}});
  std::vector<CacheLine> c(lines, CacheLine{{2}});
  const auto triad = triad_kernel();
  // Small footprints are passed over many times between two readings of the clock.
  const long passes = std::max(1L, static_cast<long>(4'000'000 / n));
  double best = 0;
  const Clock::time_point begin = Clock::now();
  for (int round = 0; round < 3 || seconds_since(begin) < seconds; ++round) {
    const Clock::time_point start = Clock::now();
    for (long pass = 0; pass < passes; ++pass)
      triad(a[0].values, b[0].values, c[0].values, 1e-3 * static_cast<double>(pass + round), static_cast<long>(n));
    if (round > 0)
      best = std::max(best, 24.0 * static_cast<double>(n) * static_cast<double>(passes) / seconds_since(start));
  }
  return best;
}

double measure_multiply_add_peak(double seconds) {
  TEMPERA_EXPECTS(seconds > 0);
  const auto burst = burst_kernel();
  constexpr long kRounds = 200'000;
  double sink = 0;
  double best = 0;
  const Clock::time_point begin = Clock::now();
  for (int round = 0; round < 3 || seconds_since(begin) < seconds; ++round) {
    const Clock::time_point start = Clock::now();
    const double operations = burst(kRounds, 0.999, &sink);
    best = std::max(best, operations / seconds_since(start));
  }
  return sink > 0 ? best : 0;
}

double measure_matrix_product(int order, double seconds) {
  TEMPERA_EXPECTS(order >= 1 && seconds > 0);
  const auto cells = static_cast<std::size_t>(order) * static_cast<std::size_t>(order);
  const std::vector<double> a(cells, 1), b(cells, 0.5);
  std::vector<double> c(cells, 0);
  const double operations = 2.0 * static_cast<double>(cells) * order;
  double best = 0;
  const Clock::time_point begin = Clock::now();
  for (int round = 0; round < 3 || seconds_since(begin) < seconds; ++round) {
    const Clock::time_point start = Clock::now();
    cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, order, order, order, 1.0, a.data(), order, b.data(), order,
                0.0, c.data(), order);
    if (round > 0) best = std::max(best, operations / seconds_since(start));
  }
  return best;
}

}  // namespace tempera
