#pragma once

// Included by *_simd.cpp: no standard header with inline functions may enter here (see core/CMakeLists.txt).
#include <stdint.h>

namespace tempera::detail {

/// fields[k] = (keys[k] >> shift) & mask. @pre shift < 64, mask < 2^32
using KeyFieldsKernel = void (*)(const uint64_t* keys, uint64_t count, int shift, uint64_t mask, uint32_t* fields);

/// How many of the keys 1 … count − 1 differ from the key before in the bits from `shift` up. @pre shift < 64
using KeyStepsKernel = uint64_t (*)(const uint64_t* keys, uint64_t count, int shift);

}  // namespace tempera::detail

namespace tempera::simd::baseline {
void key_fields(const uint64_t* keys, uint64_t count, int shift, uint64_t mask, uint32_t* fields);
uint64_t key_steps(const uint64_t* keys, uint64_t count, int shift);
}  // namespace tempera::simd::baseline
namespace tempera::simd::avx2 {
void key_fields(const uint64_t* keys, uint64_t count, int shift, uint64_t mask, uint32_t* fields);
uint64_t key_steps(const uint64_t* keys, uint64_t count, int shift);
}  // namespace tempera::simd::avx2
namespace tempera::simd::avx512 {
void key_fields(const uint64_t* keys, uint64_t count, int shift, uint64_t mask, uint32_t* fields);
uint64_t key_steps(const uint64_t* keys, uint64_t count, int shift);
}  // namespace tempera::simd::avx512
