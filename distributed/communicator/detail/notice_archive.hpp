#pragma once

#include "distributed/communicator/detail/notice.hpp"

// How the parts that notices and reports have in common are written.

namespace tempera::detail {

template <class Archive>
void serialize(Archive& archive, ScopeKey& key, unsigned) {
  archive& key.channel& key.instance;
}
template <class Archive>
void serialize(Archive& archive, ChannelState& state, unsigned) {
  archive& state.id& state.entered& state.buried;
}

}  // namespace tempera::detail
