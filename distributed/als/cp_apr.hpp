#pragma once

#include "distributed/als/cp_als.hpp"

namespace tempera {

/// Checks that every stored cell holds a count, a whole number ≥ 0, and adds those up that are not kept apart.
/// Collective over all ranks.
/// @param index_base  number of the first index in the message
/// @param name        of the data, for the message
/// @param option      that says what the values are, for the message
/// @throws Error{input} on all ranks, naming the first cell (in the order of the coordinates) that does not
double count_total(const DistributedTensor& tensor, Index index_base = 0, const std::string& name = {},
                   const std::string& option = "--loss");

/// How the rows are updated: as asked, or Newton unless its Hessians, rank (rank + 3) / 2 doubles a row of the longest
/// mode, would take more than four times the memory of the nonzeros as coordinates.
CountSolver chosen_solver(std::span<const Index> shape, double stored_cells, const CpOptions& options);
CountSolver chosen_solver(const DistributedTensor& tensor, const CpOptions& options);

/// Doubles a row that the chosen solver needs beside the gradient.
double hessian_columns(std::span<const Index> shape, double stored_cells, const CpOptions& options);
double hessian_columns(const DistributedTensor& tensor, const CpOptions& options);

/// CP model of counts by maximum likelihood: x ~ Poisson(m), m = Σ_r weights[r] Π u_r ≥ 0, absent cells being zeros.
/// Minimises the deviance 2 Σ x ln(x/m) − x + m over all cells by alternating Poisson regression.
///
/// One sweep updates the modes in order. With the other modes' columns of unit sum, and the weights folded into this one,
/// its rows are independent convex problems; each takes a few steps: multiplicative updates (Chi & Kolda 2012) or row
/// Newton steps (CountNewton). A step sums the derivatives over the local nonzeros, reduces them to the row owners,
/// updates and shares the new rows, as cp_als does with its MTTKRP; zeros cost nothing, as Σ m is a product of column
/// sums. The deviance never rises with either.
///
/// Stops when the deviance per count (deviance / Σ x) falls by less than the tolerance in two successive sweeps.
/// `kkt_violation` is the largest |min(b, 1 − Φ)| met in the last sweep (0 at a stationary point), b the row with the
/// weights, Φ as in count_products. The result is in normal form like any CP model; `component_totals` are the weights
/// for columns of unit sum: the expected counts of each component, which at a stationary point add up to Σ x.
/// Cells that are kept apart (Holdout) are no part of the loss: their counts are left out and their expected counts taken
/// off the column sums row by row, so that deviance, fit and totals are those of the other cells.
/// The same where absent cells are not observed: the sums run over the stored cells. Then `component_totals` are what the
/// model expects in all cells, and do not add up to Σ x.
/// Of several starts the one of least deviance is kept. `constraints` are not looked at: the model is nonnegative.
/// Same promises on ranks and bits as cp_als. Memory: as cp_als, with the Hessians in place of one matrix.
/// @throws Error{input} for values that are no counts, else as cp_als
CpResult cp_apr(const DistributedTensor& tensor, const CpOptions& options, const CpObserver& observer = {});

}  // namespace tempera
