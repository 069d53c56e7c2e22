#include "core/io/detail/block_checks.hpp"

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/memory.hpp"
#include "core/base/text.hpp"

namespace tempera::detail {

void check_block_memory(const std::string& where, double bytes) {
  const double available = available_memory();
  if (bytes <= available) return;
  throw Error(Category::environment, where,
              fmt::format("the part that one process reads takes {} of memory, {} are free", human_bytes(bytes),
                          human_bytes(available)),
              "use more MPI ranks on more machines; if most cells are zero, store the tensor sparse (.tns, or .h5 as "
              "tempera convert --sparse writes it)");
}

}  // namespace tempera::detail
