#include "distributed/communicator/detail/scope.hpp"

#include <algorithm>
#include <optional>

#include "core/base/error.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/detail/mpi_call.hpp"
#include "distributed/communicator/detail/tags.hpp"
#include "distributed/communicator/detail/wait.hpp"
#include "distributed/communicator/detail/watchdog.hpp"

namespace tempera {

namespace detail {

Scope::Scope(Channel& channel) : channel_(channel), key_{channel.id, ++channel.scopes_opened} {
  channel_.domain.enter_scope(key_);
}

void Scope::finish() {
  Domain& domain = channel_.domain;
  channel_.arrive(Operation::end_of_scope, {}, {}, domain.has_graves() ? kHasGraves : 0);
  const bool graves = (channel_.arrival.flags() & kHasGraves) != 0;
  if (graves) channel_.reap();
  domain.leave_scope();
}

void Scope::fail() {
  Domain& domain = channel_.domain;
  Notice mine = own_notice();
  send_notices(mine);
  Wait wait(channel_, Operation::agreement);
  while (domain.notices(key_).size() < static_cast<std::size_t>(channel_.others())) wait.step();
  Notices notices = domain.notices(key_);
  notices.emplace(domain.rank(), std::move(mine));
  recover(notices);
  free_graves(notices);
  domain.leave_scope();
  domain.watchdog().forget(channel_.members);
  leave(notices);
}

std::vector<ObjectCount> Scope::objects_sent_to(int member) const {
  std::vector<ObjectCount> counts;
  for (const auto& [id, channel] : channel_.domain.channels())
    for (const auto& [peer_and_tag, messages] : channel->objects_sent)
      if (channel->members[static_cast<std::size_t>(peer_and_tag.first)] == member)
        counts.push_back({id, peer_and_tag.second, messages});
  return counts;
}

Notice Scope::own_notice() const {
  Notice notice;
  notice.scope = key_;
  try {
    throw;
  } catch (const LeftBecauseOfAnotherRank& left) {
    notice.outcome = left.domain == &channel_.domain ? Outcome::left : Outcome::left_outside;
  } catch (...) {
    const Error error = current_exception_as_error();
    notice.outcome = Outcome::error;
    notice.category = static_cast<int>(error.category());
    notice.where = error.where();
    notice.what = error.what_is_wrong();
    notice.hint = error.hint();
  }
  for (const auto& [id, channel] : channel_.domain.channels())
    notice.channels.push_back({id, channel->arrival.entered(), channel_.domain.is_buried(id)});
  notice.objects = objects_sent_to(channel_.domain.rank());
  return notice;
}

void Scope::send_notices(Notice mine) {
  for (int member : channel_.members) {
    if (member == channel_.domain.rank()) continue;
    mine.objects = objects_sent_to(member);
    channel_.domain.post(channel_.domain.control(), member, kNoticeTag, encode(mine));
  }
}

void Scope::recover(const Notices& notices) {
  std::vector<Channel*> inside;
  for (const auto& [id, channel] : channel_.domain.channels()) {
    if (!channel_.contains(*channel)) continue;
    inside.push_back(channel);
    std::uint64_t furthest = 0;
    for (int member : channel->members)
      if (const ChannelState* state = notices.at(member).find(id)) furthest = std::max(furthest, state->entered);
    if (channel->arrival.entered() < furthest) channel->arrival.begin(signature(Operation::recovery, {}), 0, {});
  }
  Wait wait(channel_, Operation::agreement);
  while (true) {
    bool clean = channel_.domain.delivered(channel_.domain.control());
    for (Channel* channel : inside) {
      if (channel->arrival.pending() && !channel->arrival.advance()) clean = false;
      if (!receive_lost_objects(*channel, notices) || !channel_.domain.delivered(channel->comm)) clean = false;
    }
    if (clean) return;
    wait.step();
  }
}

bool Scope::receive_lost_objects(Channel& channel, const Notices& notices) {
  bool all_here = true;
  for (int source = 0; source < channel.size; ++source) {
    for (const ObjectCount& sent : notices.at(channel.members[static_cast<std::size_t>(source)]).objects) {
      if (sent.channel != channel.id) continue;
      std::uint64_t& received = channel.objects_received[{source, sent.tag}];
      while (received < sent.messages && channel.try_receive(source, sent.tag)) ++received;
      if (received < sent.messages) all_here = false;
    }
  }
  return all_here;
}

void Scope::free_graves(const Notices& notices) {
  std::vector<std::uint64_t> graves;
  for (const auto& [id, channel] : channel_.domain.channels()) {
    const auto buried_by = [&, id = id](int member) {
      const auto notice = notices.find(member);
      const ChannelState* state = notice == notices.end() ? nullptr : notice->second.find(id);
      return state != nullptr && state->buried;
    };
    if (std::ranges::all_of(channel->members, buried_by)) graves.push_back(id);
  }
  for (std::uint64_t id : graves) channel_.domain.free_buried(id);
}

void Scope::leave(const Notices& notices) {
  bool outside = false;
  for (int member : channel_.members) {
    const Notice& notice = notices.at(member);
    if (notice.outcome == Outcome::error)
      throw Error(static_cast<Category>(notice.category), notice.where, notice.what, notice.hint);
    outside = outside || notice.outcome == Outcome::left_outside;
  }
  if (outside) throw LeftBecauseOfAnotherRank{nullptr};
  if (channel_.domain.in_scope()) throw LeftBecauseOfAnotherRank{&channel_.domain};
  throw Error(Category::environment, channel_.regions->current(), "all ranks left because of each other",
              "a body of a collective part must not swallow exceptions with catch (...)");
}

CollectiveScope::CollectiveScope(Channel& channel) : scope_(std::make_unique<Scope>(channel)) {}
CollectiveScope::~CollectiveScope() = default;
void CollectiveScope::finish() {
  scope_->finish();
}
void CollectiveScope::fail() {
  scope_->fail();
}

}  // namespace detail
}  // namespace tempera
