#pragma once

#include <cstddef>
#include <new>
#include <utility>
#include <vector>

namespace tempera {

/// Memory for arrays that are read at random or filled once: from 4 MiB on it begins on a huge page and the kernel is
/// asked for huge pages in all of it but the last part of one, so that no byte more is resident. Fewer page faults and
/// fewer misses of the translation buffers; where huge pages are not to be had, nothing changes.
/// @throws std::bad_alloc
void* allocate_large(std::size_t bytes);
void free_large(void* memory) noexcept;

/// Allocator over allocate_large whose elements are not set to zero: vectors of numbers grow without touching memory.
template <class T>
struct LargeAllocator {
  using value_type = T;

  LargeAllocator() = default;
  template <class U>
  LargeAllocator(const LargeAllocator<U>&) noexcept {}

  T* allocate(std::size_t count) { return static_cast<T*>(allocate_large(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t) noexcept { free_large(memory); }

  template <class U, class... Arguments>
  void construct(U* place, Arguments&&... arguments) {
    if constexpr (sizeof...(Arguments) == 0)
      ::new (static_cast<void*>(place)) U;
    else
      ::new (static_cast<void*>(place)) U{std::forward<Arguments>(arguments)...};
  }

  bool operator==(const LargeAllocator&) const = default;
};

/// Vector of numbers whose resize() and constructor leave new elements undefined.
template <class T>
using LargeVector = std::vector<T, LargeAllocator<T>>;

}  // namespace tempera
