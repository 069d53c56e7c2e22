#include "core/base/large_memory.hpp"

#include <sys/mman.h>

#include <cstdlib>

namespace tempera {

namespace {
constexpr std::size_t kLine = 64;
constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kLarge = 2 * kHugePage;
}  // namespace

void* allocate_large(std::size_t bytes) {
  void* memory = nullptr;
  const bool large = bytes >= kLarge;
  if (posix_memalign(&memory, large ? kHugePage : kLine, bytes == 0 ? kLine : bytes) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (large) madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // a wish: its failure does not matter
#endif
  return memory;
}

void free_large(void* memory) noexcept {
  std::free(memory);
}

}  // namespace tempera
