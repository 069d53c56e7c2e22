#pragma once

#include <cstdint>

namespace tempera {

/// Bandwidth of one thread of this process in bytes a second: STREAM's triad a[i] = b[i] + s·c[i] over three arrays of
/// `footprint` bytes together, best of the passes that fit into `seconds` (at least two after a warm-up). Counted are
/// the 24 bytes an element that the program names, not the read that a store may cause.
/// Every rank of a node measures at the same time to see its share of the memory.
/// @pre footprint ≥ 24 · 1024, seconds > 0
/// McCalpin 1995.
double measure_triad(std::int64_t footprint, double seconds);

/// Multiply-adds of doubles of one thread, in floating-point operations a second (two a multiply-add), with the widest
/// vectors of simd_level(): the best of the bursts that fit into `seconds`. @pre seconds > 0
double measure_multiply_add_peak(double seconds);

/// Products of two square matrices of this order by the BLAS (dgemm) on one thread of this process, in floating-point
/// operations a second: the best of those that fit into `seconds` (at least two after a warm-up). @pre order ≥ 1, seconds > 0
double measure_matrix_product(int order, double seconds);

}  // namespace tempera
