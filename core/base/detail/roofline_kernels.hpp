#pragma once

// The two measuring kernels, compiled once an instruction set from roofline_simd.cpp.
//   triad:               a[i] = b[i] + scale·c[i] for 0 ≤ i < n
//   multiply_add_burst:  `rounds` times a bundle of independent multiply-adds; returns the floating-point operations
//   done

namespace tempera::baseline {
void triad(double* a, const double* b, const double* c, double scale, long n);
double multiply_add_burst(long rounds, double factor, double* sink);
}  // namespace tempera::baseline

namespace tempera::avx2 {
void triad(double* a, const double* b, const double* c, double scale, long n);
double multiply_add_burst(long rounds, double factor, double* sink);
}  // namespace tempera::avx2

namespace tempera::avx512 {
void triad(double* a, const double* b, const double* c, double scale, long n);
double multiply_add_burst(long rounds, double factor, double* sink);
}  // namespace tempera::avx512
