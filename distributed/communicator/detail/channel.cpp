#include "distributed/communicator/detail/channel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/base/contract.hpp"
#include "distributed/communicator/detail/mpi_call.hpp"
#include "distributed/communicator/detail/wait.hpp"

namespace tempera::detail {

namespace {

int rank_in(MPI_Comm comm) {
  int rank = 0;
  check_mpi(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  return rank;
}

int size_of(MPI_Comm comm) {
  int size = 0;
  check_mpi(MPI_Comm_size(comm, &size), "MPI_Comm_size");
  return size;
}

std::vector<int> ranks_in_domain(MPI_Comm comm, MPI_Comm control) {
  const int size = size_of(comm);
  std::vector<int> local(static_cast<std::size_t>(size));
  std::vector<int> global(static_cast<std::size_t>(size));
  std::iota(local.begin(), local.end(), 0);
  MPI_Group group = MPI_GROUP_NULL;
  MPI_Group all = MPI_GROUP_NULL;
  check_mpi(MPI_Comm_group(comm, &group), "MPI_Comm_group");
  check_mpi(MPI_Comm_group(control, &all), "MPI_Comm_group");
  check_mpi(MPI_Group_translate_ranks(group, size, local.data(), all, global.data()), "MPI_Group_translate_ranks");
  MPI_Group_free(&group);
  MPI_Group_free(&all);
  return global;
}

}  // namespace

Channel::Channel(Domain& owner, MPI_Comm mpi, std::uint64_t identity, std::shared_ptr<RegionTable> table)
    : domain(owner),
      comm(mpi),
      id(identity),
      rank(rank_in(mpi)),
      size(size_of(mpi)),
      members(ranks_in_domain(mpi, owner.control())),
      regions(std::move(table)),
      arrival(mpi, rank, size) {
  check_mpi(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

Channel::~Channel() {
  if (mpi_is_running()) MPI_Comm_free(&comm);
}

bool Channel::fits_inline(std::size_t bytes) const {
  return bytes * static_cast<std::size_t>(size) <= std::min(domain.limits.inline_bytes, Arrival::kCapacity);
}

Error Channel::different_operations() const {
  const Operation low = operation_of(arrival.lowest());
  const Operation high = operation_of(arrival.highest());
  const int low_rank = members[static_cast<std::size_t>(arrival.lowest_rank())];
  const int high_rank = members[static_cast<std::size_t>(arrival.highest_rank())];
  std::string what =
      low == high ? fmt::format("ranks {} and {} call {} with different arguments (length, root or kind)",
                                std::min(low_rank, high_rank), std::max(low_rank, high_rank), name(low))
                  : fmt::format("rank {} is in {} while rank {} is in {}", low_rank, name(low), high_rank, name(high));
  return Error(Category::environment, regions->current(), std::move(what),
               "all ranks of a communicator must call the same operations in the same order; this is a defect of the "
               "calling program");
}

void Channel::enter(Operation operation, std::initializer_list<std::uint64_t> arguments,
                    std::span<const std::byte> payload, std::uint64_t flags) {
  TEMPERA_EXPECTS(!exchange_in_flight);
  if (size > 1) {
    if (domain.someone_left()) throw LeftBecauseOfAnotherRank{&domain};
    if (arrival.pending())
      throw Error(Category::environment, regions->current(),
                  fmt::format("{} on a communicator whose last operation was cut short by an error", name(operation)),
                  "catch errors of a group of ranks outside the collective part of all ranks that the operation "
                  "needs; this is a defect of the calling program");
  }
  arrival.begin(signature(operation, arguments), flags, payload);
}

void Channel::arrive(Operation operation, std::initializer_list<std::uint64_t> arguments,
                     std::span<const std::byte> payload, std::uint64_t flags) {
  enter(operation, arguments, payload, flags);
  Wait wait(*this, operation, Wait::For::arrival);
  while (!arrival.advance()) {
    wait.step();
    if (domain.never_completes(*this, arrival.entered())) throw LeftBecauseOfAnotherRank{&domain};
  }
  if (!arrival.matched()) throw different_operations();
}

void Channel::arrive_gathering(Operation operation, std::initializer_list<std::uint64_t> arguments,
                               std::span<const std::byte> payload, std::span<std::byte> gathered) {
  if (!fits_inline(payload.size())) {
    arrive(operation, arguments);
    const int bytes = static_cast<int>(payload.size());
    check_mpi(MPI_Allgather(payload.data(), bytes, MPI_BYTE, gathered.data(), bytes, MPI_BYTE, comm), "MPI_Allgather");
    return;
  }
  arrive(operation, arguments, payload);
  for (int q = 0; q < size && !payload.empty(); ++q)
    std::memcpy(gathered.data() + static_cast<std::size_t>(q) * payload.size(), arrival.payload_of(q).data(),
                payload.size());
}

std::shared_ptr<Channel> Channel::split(int color, int key, bool independent) {
  arrive(Operation::split, {independent}, {}, domain.has_graves() ? kHasGraves : 0);
  if ((arrival.flags() & kHasGraves) != 0) reap();
  MPI_Comm part = MPI_COMM_NULL;
  check_mpi(MPI_Comm_split(comm, color < 0 ? MPI_UNDEFINED : color, key, &part), "MPI_Comm_split");
  if (part == MPI_COMM_NULL) return nullptr;
  std::uint64_t identity = rank_in(part) == 0 ? domain.next_channel_id() : 0;
  check_mpi(MPI_Bcast(&identity, 1, MPI_UINT64_T, 0, part), "MPI_Bcast");
  return domain.adopt(
      std::make_unique<Channel>(domain, part, identity, independent ? std::make_shared<RegionTable>() : regions));
}

void Channel::reap() {
  std::vector<std::uint64_t> mine;
  for (const auto& [identity, channel] : domain.channels())
    if (domain.is_buried(identity) && contains(*channel)) mine.push_back(identity);
  std::map<std::uint64_t, int> burials;
  const Communicator all = communicator(std::shared_ptr<Channel>(std::shared_ptr<Channel>(), this));
  for (std::uint64_t identity : all.all_gather<std::uint64_t>(mine)) ++burials[identity];
  for (std::uint64_t identity : mine)
    if (burials[identity] == domain.channels().at(identity)->size) domain.free_buried(identity);
}

bool Channel::try_receive(int source, int tag, std::vector<std::byte>* content) {
  int found = 0;
  MPI_Message message = MPI_MESSAGE_NULL;
  MPI_Status status;
  check_mpi(MPI_Improbe(source, tag, comm, &found, &message, &status), "MPI_Improbe");
  if (!found) return false;
  int bytes = 0;
  check_mpi(MPI_Get_count(&status, MPI_BYTE, &bytes), "MPI_Get_count");
  std::vector<std::byte> received(static_cast<std::size_t>(bytes));
  check_mpi(MPI_Mrecv(received.data(), bytes, MPI_BYTE, &message, MPI_STATUS_IGNORE), "MPI_Mrecv");
  if (content != nullptr) content->insert(content->end(), received.begin(), received.end());
  return true;
}

bool Channel::contains(const Channel& other) const {
  return std::ranges::all_of(
      other.members, [&](int rank_of_domain) { return std::ranges::find(members, rank_of_domain) != members.end(); });
}

}  // namespace tempera::detail
