#include "distributed/communicator/detail/operation.hpp"

namespace tempera::detail {

const char* name(Operation operation) {
  switch (operation) {
    case Operation::recovery: return "recovery";
    case Operation::end_of_scope: return "the end of the collective part";
    case Operation::agreement: return "the agreement on an error";
    case Operation::split: return "split";
    case Operation::select: return "select_independent";
    case Operation::barrier: return "barrier";
    case Operation::broadcast: return "broadcast";
    case Operation::all_reduce: return "all_reduce";
    case Operation::exclusive_sum: return "exclusive_sum";
    case Operation::all_gather: return "all_gather";
    case Operation::gather: return "gather";
    case Operation::all_to_all: return "all_to_all";
    case Operation::reduce_scatter_sum: return "reduce_scatter_sum";
    case Operation::all_gather_into: return "all_gather_into";
    case Operation::exchange: return "exchange";
    case Operation::send_object: return "send_object";
    case Operation::receive_object: return "receive_object";
    case Operation::receive_letter: return "receive_letter";
    case Operation::stop_request: return "the check for a stop signal";
  }
  return "an unknown operation";
}

std::uint64_t signature(Operation operation, std::initializer_list<std::uint64_t> arguments) {
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a over words, then folded to 56 bits
  for (std::uint64_t argument : arguments) {
    hash = (hash ^ argument) * 0x100000001b3u;
    hash ^= hash >> 29;
  }
  return (static_cast<std::uint64_t>(operation) << 56) | (hash & ((std::uint64_t{1} << 56) - 1));
}

}  // namespace tempera::detail
