#pragma once

#include <cstdint>
#include <initializer_list>

namespace tempera::detail {

/// What a rank is doing when it waits for others.
enum class Operation : std::uint8_t {
  recovery,  // stands in for the operation that others entered before an error
  end_of_scope,
  agreement,
  split,
  select,
  barrier,
  broadcast,
  all_reduce,
  exclusive_sum,
  all_gather,
  gather,
  all_to_all,
  reduce_scatter_sum,
  all_gather_into,
  exchange,
  send_object,
  receive_object,
  receive_letter,
  stop_request
};

const char* name(Operation operation);

/// Operation and a hash of the arguments that must be equal on all ranks, in one word that ranks compare on arrival.
std::uint64_t signature(Operation operation, std::initializer_list<std::uint64_t> arguments);
inline Operation operation_of(std::uint64_t signature) {
  return static_cast<Operation>(signature >> 56);
}

}  // namespace tempera::detail
