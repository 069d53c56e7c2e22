#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/tensor/cell_list.hpp"
#include "core/tensor/sparse_tensor.hpp"
#include "distributed/communicator/communicator.hpp"
#include "distributed/tensor/row_exchange.hpp"

namespace tempera {

/// What a cell that is not stored means.
enum class Missing { zero, unobserved };

/// Which cells are kept apart to test a model on.
///
/// Whether a cell is, depends on the seed and its coordinates in the user's labels alone: never on the ranks, the order
/// of the data or the storage. Dense data: every cell with probability `share`. Sparse data: every nonzero with
/// probability `share`, and about as many of the zeros, drawn evenly (or the same share of these, if that is fewer), so
/// that the two strata are tested alike however rare nonzeros are. Where absent cells are not observed: every stored cell
/// with probability `share`.
struct HoldoutOptions {
  double share = 0;  ///< in [0, 1); 0: nothing is kept apart
  std::uint64_t seed = 0;
};

/// Cells of one kind: all zeros, all nonzeros, or all cells of dense data.
struct HoldoutStratum {
  std::string name;
  Index held = 0;    ///< cells kept apart, over all ranks
  double cells = 0;  ///< cells there are
};

/// The cells that are kept apart, as a distributed tensor holds them: they are no part of what its kernels see.
struct Holdout {
  CellList cells;            ///< of this rank
  std::vector<int> stratum;  ///< of each of them, a position in `strata`
  std::vector<HoldoutStratum> strata;
  Index merged = 0;    ///< duplicates that were summed, on this rank
  Index returned = 0;  ///< cells that went back into the fit: a slice held no others
  int returned_mode = 0;
  Index returned_index = 0;  ///< first such slice

  bool empty() const { return strata.empty(); }
};

bool is_held(std::span<const Index> cell, const HoldoutOptions& options);

/// Entries of sparse data in their three roles, in the user's labels.
struct SplitEntries {
  SparseTensor held;        ///< nonzeros kept apart
  SparseTensor candidates;  ///< cells drawn as zeros: some of them may be stored
};

/// Takes the entries that are held out of `blocks` and draws cells for the zeros, if absent ones are. Collective.
SplitEntries split_entries(const Communicator& communicator, std::span<const Index> shape,
                           std::vector<SparseTensor>& blocks, const HoldoutOptions& options, Missing missing);

/// Which of the entries of this rank are held, after those whose slices would else be empty have gone back.
/// Duplicates among the held are summed, candidates that are stored somewhere dropped.
///
/// @param indices   local rows of all entries of this rank: `kept` ones, then `held`, then candidates
/// @param exchanges one a mode
/// @param back      out: positions of the held entries that return to the fit
/// Collective over the active ranks.
Holdout hold_out(const Communicator& ranks, const std::vector<std::unique_ptr<RowExchange>>& exchanges,
                 const std::vector<std::vector<std::uint32_t>>& indices, std::span<const double> values, Index kept,
                 Index held, std::vector<Index>& back);

/// For each held cell whether it has to go back: some slice it lies in keeps no other cell. Counts those of all ranks and
/// records the first such slice in `holdout`.
///
/// @param kept_in_row  one a mode, one column: cells of this rank that stay in the fit (consumed)
/// Collective over the active ranks.
std::vector<bool> cells_to_return(const Communicator& ranks, const std::vector<std::unique_ptr<RowExchange>>& exchanges,
                                  std::vector<FactorMatrix>& kept_in_row, const CellList& cells, Holdout& holdout);

}  // namespace tempera
