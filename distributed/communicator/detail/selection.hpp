#pragma once

#include <memory>
#include <span>

#include "distributed/communicator/detail/channel.hpp"

namespace tempera::detail {

/// Channel of these ranks of `parent`, in the order of the list, with a region table of its own.
///
/// The ranks first meet at the first of the list, by messages counted like objects, so that the blocking MPI call that
/// follows cannot hang for one that threw and a failure leaves nothing behind. Who has come stays until it knows whether all
/// have: it leaves only with the first of the list, and that one only with a rank that has not come.
std::shared_ptr<Channel> select_channel(Channel& parent, std::span<const int> ranks);

}  // namespace tempera::detail
