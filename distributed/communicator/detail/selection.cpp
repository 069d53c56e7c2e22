#include "distributed/communicator/detail/selection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "core/base/contract.hpp"
#include "distributed/communicator/detail/mpi_call.hpp"
#include "distributed/communicator/detail/tags.hpp"
#include "distributed/communicator/detail/wait.hpp"

namespace tempera::detail {

namespace {

std::uint64_t signature_of(std::span<const int> ranks) {
  std::uint64_t value = ranks.size();
  for (const int rank : ranks) value = signature(Operation::select, {value, static_cast<std::uint64_t>(rank)});
  return value;
}

void tell(Channel& parent, int rank, std::uint64_t word) {
  std::vector<std::byte> bytes(sizeof(word));
  std::memcpy(bytes.data(), &word, sizeof(word));
  parent.domain.post(parent.comm, rank, kSelectTag, std::move(bytes));
  ++parent.objects_sent[{rank, kSelectTag}];
}

std::uint64_t hear(Channel& parent, int rank) {
  std::vector<std::byte> bytes;
  Wait wait(parent, Operation::select, Wait::For::object, rank, kSelectTag);
  while (!parent.try_receive(rank, kSelectTag, &bytes)) {
    wait.step();
    if (parent.domain.notice_of(parent.members[static_cast<std::size_t>(rank)]) != nullptr)
      throw LeftBecauseOfAnotherRank{&parent.domain};
  }
  ++parent.objects_received[{rank, kSelectTag}];
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), sizeof(word));
  return word;
}

/// True once all are there with the same list, false if somebody has another one.
bool meet(Channel& parent, std::span<const int> ranks) {
  parent.domain.receive_control();
  if (parent.domain.someone_left()) throw LeftBecauseOfAnotherRank{&parent.domain};
  const std::uint64_t mine = signature_of(ranks);
  const int first = ranks.front();
  if (parent.rank != first) {
    tell(parent, first, mine);
    return hear(parent, first) != 0;
  }
  bool same = true;
  for (const int rank : ranks.subspan(1)) same = hear(parent, rank) == mine && same;
  for (const int rank : ranks.subspan(1)) tell(parent, rank, same ? 1 : 0);
  return same;
}

}  // namespace

std::shared_ptr<Channel> select_channel(Channel& parent, std::span<const int> ranks) {
  TEMPERA_EXPECTS(std::ranges::count(ranks, parent.rank) == 1);
  if (!meet(parent, ranks))
    throw Error(Category::environment, parent.regions->current(),
                fmt::format("ranks {} call select_independent with different lists", fmt::join(ranks, ", ")),
                "all ranks of the list must give the same one; this is a defect of the calling program");
  MPI_Group all = MPI_GROUP_NULL, some = MPI_GROUP_NULL;
  check_mpi(MPI_Comm_group(parent.comm, &all), "MPI_Comm_group");
  check_mpi(MPI_Group_incl(all, static_cast<int>(ranks.size()), ranks.data(), &some), "MPI_Group_incl");
  MPI_Comm part = MPI_COMM_NULL;
  // Open MPI sends on the parent with this very tag.
  check_mpi(MPI_Comm_create_group(parent.comm, some, kCreateTag, &part), "MPI_Comm_create_group");
  MPI_Group_free(&some);
  MPI_Group_free(&all);
  std::uint64_t identity = ranks.front() == parent.rank ? parent.domain.next_channel_id() : 0;
  check_mpi(MPI_Bcast(&identity, 1, MPI_UINT64_T, 0, part), "MPI_Bcast");
  return parent.domain.adopt(std::make_unique<Channel>(parent.domain, part, identity, std::make_shared<RegionTable>()));
}

}  // namespace tempera::detail
