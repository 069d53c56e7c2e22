#include "distributed/communicator/detail/domain.hpp"

#include <algorithm>

#include "distributed/communicator/detail/channel.hpp"
#include "distributed/communicator/detail/exchange_in_flight.hpp"
#include "distributed/communicator/detail/mpi_call.hpp"
#include "distributed/communicator/detail/tags.hpp"
#include "distributed/communicator/detail/watchdog.hpp"

namespace tempera::detail {

std::shared_ptr<Channel> Domain::open(MPI_Comm comm) {
  const auto domain = std::make_shared<Domain>(comm);
  MPI_Comm duplicate = MPI_COMM_NULL;
  check_mpi(MPI_Comm_dup(domain->control_, &duplicate), "MPI_Comm_dup");
  constexpr std::uint64_t kFirstChannel = 0;
  return domain->adopt(std::make_unique<Channel>(*domain, duplicate, kFirstChannel, std::make_shared<RegionTable>()));
}

Domain::Domain(MPI_Comm comm) : watchdog_(std::make_unique<Watchdog>(*this)) {
  check_mpi(MPI_Comm_dup(comm, &control_), "MPI_Comm_dup");
  check_mpi(MPI_Comm_set_errhandler(control_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  MPI_Comm_rank(control_, &rank_);
  MPI_Comm_size(control_, &size_);
}

Domain::~Domain() {
  if (mpi_is_running())
    for (Posted& posted : outbox_) {  // sent to a rank that never received it
      int done = 0;
      MPI_Test(&posted.request, &done, MPI_STATUS_IGNORE);
      if (done) continue;
      MPI_Request_free(&posted.request);
      static_cast<void>(new std::vector<std::byte>(std::move(posted.bytes)));  // MPI may still read it
    }
  while (!graveyard_.empty()) graveyard_.erase(graveyard_.begin());  // by identity: the same order on all ranks
  if (control_ != MPI_COMM_NULL && mpi_is_running()) MPI_Comm_free(&control_);
}

std::uint64_t Domain::next_channel_id() {
  return (static_cast<std::uint64_t>(rank_) << 32) | ++channels_led_;
}

std::shared_ptr<Channel> Domain::adopt(std::unique_ptr<Channel> channel) {
  channels_.emplace(channel->id, channel.get());
  return {channel.release(), [domain = shared_from_this()](Channel* last) { domain->bury(last); }};
}

void Domain::bury(Channel* channel) {
  graveyard_.emplace(channel->id, std::unique_ptr<Channel>(channel));
}

void Domain::free_buried(std::uint64_t id) {
  channels_.erase(id);
  graveyard_.erase(id);
}

void Domain::leave_scope() {
  inbox_.erase(scopes_.back());
  scopes_.pop_back();
}

void Domain::forget_scopes_inside(const Channel& scope) {
  std::erase_if(inbox_, [&](const auto& entry) {
    if (std::ranges::find(scopes_, entry.first) != scopes_.end()) return false;
    const auto channel = channels_.find(entry.first.channel);
    return channel == channels_.end() ||
           (scope.contains(*channel->second) && entry.first.instance <= channel->second->scopes_opened);
  });
}

bool Domain::someone_left() const {
  return !inbox_.empty() && std::ranges::any_of(scopes_, [&](const ScopeKey& key) {
    const auto found = inbox_.find(key);
    return found != inbox_.end() && !found->second.empty();
  });
}

const Notice* Domain::notice_of(int domain_rank) const {
  for (const ScopeKey& key : scopes_) {
    const auto scope = inbox_.find(key);
    if (scope == inbox_.end()) continue;
    const auto notice = scope->second.find(domain_rank);
    if (notice != scope->second.end()) return &notice->second;
  }
  return nullptr;
}

bool Domain::never_completes(const Channel& channel, std::uint64_t entered) const {
  if (!someone_left()) return false;
  return std::ranges::any_of(channel.members, [&](int member) {
    const Notice* notice = notice_of(member);
    if (notice == nullptr) return false;
    const ChannelState* state = notice->find(channel.id);
    return state == nullptr || state->entered < entered;
  });
}

void Domain::advance_exchanges() {
  for (ExchangeInFlight* exchange : in_flight_) exchange->advance();
}

void Domain::receive_control() {
  while (true) {
    int found = 0;
    MPI_Message message = MPI_MESSAGE_NULL;
    MPI_Status status;
    check_mpi(MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, control_, &found, &message, &status), "MPI_Improbe");
    if (!found) return;
    int bytes = 0;
    check_mpi(MPI_Get_count(&status, MPI_BYTE, &bytes), "MPI_Get_count");
    std::vector<std::byte> content(static_cast<std::size_t>(bytes));
    check_mpi(MPI_Mrecv(content.data(), bytes, MPI_BYTE, &message, MPI_STATUS_IGNORE), "MPI_Mrecv");
    if (status.MPI_TAG == kWaitReportTag) {
      watchdog_->receive(status.MPI_SOURCE, content);
      continue;
    }
    Notice notice = decode_notice(content);
    const ScopeKey scope = notice.scope;
    inbox_[scope].emplace(status.MPI_SOURCE, std::move(notice));
  }
}

std::uint64_t Domain::post(MPI_Comm comm, int destination, int tag, std::vector<std::byte> bytes) {
  Posted& posted = outbox_.emplace_back(Posted{++tickets_, comm, std::move(bytes), MPI_REQUEST_NULL});
  check_mpi(MPI_Isend(posted.bytes.data(), static_cast<int>(posted.bytes.size()), MPI_BYTE, destination, tag, comm,
                      &posted.request),
            "MPI_Isend");
  return posted.ticket;
}

bool Domain::delivered(MPI_Comm comm, std::uint64_t ticket) {
  outbox_.remove_if([](Posted& posted) {
    int done = 0;
    check_mpi(MPI_Test(&posted.request, &done, MPI_STATUS_IGNORE), "MPI_Test");
    return done != 0;
  });
  return std::ranges::none_of(outbox_,
                              [&](const Posted& posted) { return posted.comm == comm && posted.ticket >= ticket; });
}

}  // namespace tempera::detail
