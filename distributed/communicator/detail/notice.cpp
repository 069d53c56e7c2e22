#include "distributed/communicator/detail/notice.hpp"

#include <algorithm>

#include "distributed/communicator/archive.hpp"
#include "distributed/communicator/detail/notice_archive.hpp"

namespace tempera::detail {

template <class Archive>
void serialize(Archive& archive, ObjectCount& count, unsigned) {
  archive& count.channel& count.tag& count.messages;
}
template <class Archive>
void serialize(Archive& archive, Notice& notice, unsigned) {
  archive& notice.scope& notice.outcome& notice.category& notice.where& notice.what& notice.hint& notice
      .channels& notice.objects;
}

const ChannelState* Notice::find(std::uint64_t channel) const {
  const auto found = std::ranges::find(channels, channel, &ChannelState::id);
  return found == channels.end() ? nullptr : &*found;
}

std::vector<std::byte> encode(const Notice& notice) {
  return to_bytes(notice);
}

Notice decode_notice(std::span<const std::byte> bytes) {
  Notice notice;
  from_bytes(bytes, notice);
  return notice;
}

}  // namespace tempera::detail
