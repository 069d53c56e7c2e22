#include "core/factorization/bpp.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/base/contract.hpp"
#include "core/base/parallel.hpp"
#include "core/factorization/normal_equations.hpp"

namespace tempera {

namespace {

constexpr int kFullExchanges = 3;  // without progress before the backup rule
constexpr Index kLeastTileRows = 256;
constexpr Index kTilesPerThread = 4;  // some rows take longer than others
constexpr double kFeasible = 1e-13;   // relative to what the gradient is the difference of

using Set = std::vector<bool>;  ///< one flag an entry: positive

/// Where the search stands in one row.
struct Pivoting {
  Index row;
  Set positive;
  Index fewest;  ///< infeasible entries, the least so far
  int full_exchanges = kFullExchanges;
  int steps = 0;
};

/// Minimises over the entries of the set for all rows that share it; the other entries become 0.
void solve_group(const GramMatrix& h, const FactorMatrix& m, FactorMatrix& u, const Set& positive,
                 const std::vector<Pivoting*>& group) {
  std::vector<Index> kept;
  for (Index r = 0; r < h.rank; ++r)
    if (positive[static_cast<std::size_t>(r)]) kept.push_back(r);
  const auto size = static_cast<Index>(kept.size());
  GramMatrix part(size);
  for (Index j = 0; j < size; ++j)
    for (Index i = 0; i < size; ++i)
      part(i, j) = h(kept[static_cast<std::size_t>(i)], kept[static_cast<std::size_t>(j)]);
  FactorMatrix rows(static_cast<Index>(group.size()), size);
  for (Index k = 0; k < rows.rows(); ++k)
    for (Index i = 0; i < size; ++i)
      rows(k, i) = m(group[static_cast<std::size_t>(k)]->row, kept[static_cast<std::size_t>(i)]);
  if (size > 0) {
    // A row at a time: what enters BLAS together must not depend on which rows are on this rank.
    const NormalEquations equations(part);
    for (Index k = 0; k < rows.rows(); ++k) equations.solve(rows, k, 1);
  }
  for (Index k = 0; k < rows.rows(); ++k) {
    double* to = u.row(group[static_cast<std::size_t>(k)]->row);
    std::fill_n(to, h.rank, 0.0);
    for (Index i = 0; i < size; ++i) to[kept[static_cast<std::size_t>(i)]] = rows(k, i);
  }
}

/// Exchanges infeasible entries; false if there are none, so that the row is solved.
bool exchange(const GramMatrix& h, const FactorMatrix& m, const FactorMatrix& u, Pivoting& state) {
  const double* x = u.row(state.row);
  std::vector<std::size_t> wrong;
  for (Index r = 0; r < h.rank; ++r) {
    double gradient = -m(state.row, r), magnitude = std::abs(m(state.row, r));
    for (Index s = 0; s < h.rank; ++s) {
      gradient += x[s] * h(s, r);
      magnitude += std::abs(x[s] * h(s, r));
    }
    const bool positive = state.positive[static_cast<std::size_t>(r)];
    if (positive ? x[r] < 0 : gradient < -kFeasible * magnitude) wrong.push_back(static_cast<std::size_t>(r));
  }
  if (wrong.empty()) return false;
  const auto count = static_cast<Index>(wrong.size());
  if (count < state.fewest) {
    state.fewest = count;
    state.full_exchanges = kFullExchanges;
  } else if (state.full_exchanges > 0) {
    --state.full_exchanges;
  } else {
    wrong.erase(wrong.begin(), wrong.end() - 1);
  }
  for (const std::size_t r : wrong) state.positive[r] = !state.positive[r];
  return true;
}

/// The rows of one tile: what the search remembers of them is small beside the factor.
void pivot_tile(const GramMatrix& h, const FactorMatrix& m, FactorMatrix& u, Index first, Index count) {
  const auto limit = static_cast<int>(20 * h.rank + 100);  // rounding could make the search go round in circles
  std::vector<Pivoting> states;
  for (Index i = first; i < first + count; ++i) {
    Pivoting state{i, Set(static_cast<std::size_t>(h.rank)), h.rank + 1};
    // A component without curvature stays at zero.
    for (Index r = 0; r < h.rank; ++r) state.positive[static_cast<std::size_t>(r)] = u(i, r) > 0 && h(r, r) > 0;
    states.push_back(std::move(state));
  }
  std::vector<Pivoting*> open;
  for (Pivoting& state : states) open.push_back(&state);
  while (!open.empty()) {
    std::map<Set, std::vector<Pivoting*>> groups;
    for (Pivoting* state : open) groups[state->positive].push_back(state);
    for (const auto& [positive, group] : groups) solve_group(h, m, u, positive, group);
    std::erase_if(open, [&](Pivoting* state) { return !exchange(h, m, u, *state) || ++state->steps > limit; });
  }
  for (Index i = first; i < first + count; ++i)
    for (Index r = 0; r < h.rank; ++r) u(i, r) = std::max(0.0, u(i, r));
}

}  // namespace

void bpp_update(const GramMatrix& h, const FactorMatrix& m, FactorMatrix& u, Index first, Index count, int threads) {
  TEMPERA_EXPECTS(m.columns() == h.rank && u.columns() == h.rank);
  const Index tile =
      threads > 1 ? std::clamp(count / (kTilesPerThread * threads), kLeastTileRows, kBppTileRows) : kBppTileRows;
  for_each_piece(count, tile, threads,
                 [&](const Piece& piece) { pivot_tile(h, m, u, first + piece.begin, piece.end - piece.begin); });
}

}  // namespace tempera
