// Fields of packed keys, many at a time: plain loops that the compiler turns into vectors.
#include "core/tensor/detail/key_fields.hpp"

namespace tempera::simd::TEMPERA_SIMD {

void key_fields(const uint64_t* keys, uint64_t count, int shift, uint64_t mask, uint32_t* fields) {
  for (uint64_t k = 0; k < count; ++k) fields[k] = static_cast<uint32_t>((keys[k] >> shift) & mask);
}

uint64_t key_steps(const uint64_t* keys, uint64_t count, int shift) {
  uint64_t steps = 0;
  for (uint64_t k = 1; k < count; ++k) steps += ((keys[k] ^ keys[k - 1]) >> shift) != 0 ? 1 : 0;
  return steps;
}

}  // namespace tempera::simd::TEMPERA_SIMD
