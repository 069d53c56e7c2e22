#include "core/base/roofline.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/base/detail/roofline_kernels.hpp"
#include "core/base/simd.hpp"

namespace tempera {
namespace {

TEST(Roofline, EveryInstructionSetComputesTheSameTriadAlsoForOddLengths) {
  std::vector<decltype(&baseline::triad)> kernels{baseline::triad};
#if defined(__x86_64__)
  if (simd_level() >= SimdLevel::avx2) kernels.push_back(avx2::triad);
  if (simd_level() >= SimdLevel::avx512) kernels.push_back(avx512::triad);
#endif
  for (const auto kernel : kernels) {
    for (const long n : {0L, 1L, 7L, 8L, 1001L}) {
      std::vector<double> a(static_cast<std::size_t>(n) + 1, -1);
      std::vector<double> b(a.size(), 3);
      std::vector<double> c(a.size(), 5);
      kernel(a.data(), b.data(), c.data(), 2, n);
      for (long i = 0; i < n; ++i) ASSERT_EQ(a[static_cast<std::size_t>(i)], 13);
      EXPECT_EQ(a.back(), -1) << "nothing is written beyond the end";
    }
  }
}

TEST(Roofline, BurstsCountTheirOperationsAndReallyDoThem) {
  // Each sum runs x → f·x + (1 − f), which goes to 1: after many rounds the total is the number of sums.
  double sink = 0;
  const double operations = baseline::multiply_add_burst(1000, 0.5, &sink);
  EXPECT_EQ(operations, 2 * 1000 * sink);
}

TEST(Roofline, MeasurementsAreFiniteAndPositive) {
  for (const double measured : {measure_triad(1 << 20, 1e-3), measure_multiply_add_peak(1e-3), measure_matrix_product(64, 1e-3)}) {
    EXPECT_TRUE(std::isfinite(measured));
    EXPECT_GT(measured, 0);
  }
}

}  // namespace
}  // namespace tempera
