#include "distributed/linalg/blacs_grid.hpp"

#include <fmt/format.h>

#include <numeric>
#include <vector>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "distributed/linalg/detail/scalapack.hpp"

namespace tempera {

namespace {

constexpr int kOutside = -1;      // what BLACS calls the context of a process that has none
constexpr int kLargestRatio = 3;  // of a grid's sides; longer ones send more than an idle rank would have computed

/// Context of the ranks 0 … rows·columns − 1 of a communicator of exactly so many. Collective over it.
int open_context(const Communicator& members, GridShape shape) {
  std::vector<int> ranks(static_cast<std::size_t>(shape.rows * shape.columns));
  std::iota(ranks.begin(), ranks.end(), 0);
  members.barrier();  // what follows waits inside MPI, where nobody can leave
  const int handle = Csys2blacs_handle(members.handle());
  int context = handle;
  Cblacs_gridmap(&context, ranks.data(), shape.rows, shape.rows, shape.columns);
  Cfree_blacs_system_handle(handle);
  return context;
}

void close_context(int context) {
  int finalized = 0;
  MPI_Finalized(&finalized);
  if (context != kOutside && !finalized) Cblacs_gridexit(context);
}

}  // namespace

GridShape near_square_grid(int ranks) {
  TEMPERA_EXPECTS(ranks >= 1);
  GridShape best;
  for (int rows = 1; rows * rows <= ranks; ++rows) {
    const int columns = std::min(ranks / rows, kLargestRatio * rows);
    if (rows * columns >= best.rows * best.columns) best = {rows, columns};
  }
  return best;
}

struct BlacsGrid::State {
  State(const Communicator& communicator, GridShape extents)
      : all(communicator),
        shape(extents),
        inside(communicator.rank() < extents.rows * extents.columns),
        members(communicator.split(inside ? 0 : -1, communicator.rank())) {
    of_all = open_context(all, {1, all.size()});
    if (inside) context = open_context(members, shape);
  }
  ~State() {
    close_context(context);
    close_context(of_all);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Communicator all;
  GridShape shape;
  bool inside;
  Communicator members;
  int context = kOutside;
  int of_all = kOutside;
};

BlacsGrid::BlacsGrid(const Communicator& communicator, GridShape shape) {
  if (shape.rows < 1 || shape.columns < 1 || Index{shape.rows} * shape.columns > communicator.size())
    throw Error(Category::usage, "",
                fmt::format("a grid of {} x {} MPI ranks cannot be made of {}", shape.rows, shape.columns,
                            communicator.size()));
  state_ = std::make_shared<const State>(communicator, shape);
}

BlacsGrid::BlacsGrid(const Communicator& communicator)
    : BlacsGrid(communicator, near_square_grid(communicator.size())) {}

GridShape BlacsGrid::shape() const {
  return state_->shape;
}
bool BlacsGrid::active() const {
  return state_->inside;
}
int BlacsGrid::row() const {
  return active() ? all().rank() % rows() : -1;
}
int BlacsGrid::column() const {
  return active() ? all().rank() / rows() : -1;
}
const Communicator& BlacsGrid::all() const {
  return state_->all;
}
int BlacsGrid::context() const {
  return state_->context;
}
int BlacsGrid::context_of_all() const {
  return state_->of_all;
}

}  // namespace tempera
