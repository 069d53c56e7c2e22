#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/factorization/constraint.hpp"
#include "core/tensor/factor_matrix.hpp"
#include "distributed/als/cp_health.hpp"
#include "distributed/checkpoint/checkpoints.hpp"
#include "distributed/tensor/distributed_tensor.hpp"
#include "distributed/tensor/holdout_score.hpp"

namespace tempera {

/// How cp_apr updates the rows; see there.
enum class CountSolver { automatic, multiplicative, newton };

/// Where the first start begins. Further ones are random.
enum class CpInit { random, nvecs, given };

/// A model to begin from. Called when a start begins there: a run that goes on from a checkpoint does not ask.
struct CpGivenStart {
  std::function<std::vector<double>()> weights;
  /// Rows of the factor of a mode; columns are as many as the rank. Local.
  std::function<void(int mode, std::span<const Index> rows, FactorMatrix& values)> rows;
};

struct CpOptions {
  Index rank = 16;
  std::vector<Constraint> constraints;  ///< one a mode; empty: unconstrained
  Solver solver = Solver::automatic;    ///< of the modes that leave a choice
  bool extrapolation = false;           ///< sweeps begin beyond the factors, undone where that does not pay
  /// Weight of the step a mode's update makes, over the mean of the diagonal of its normal equations: rows U minimise
  /// what they did + damping · trace(H)/rank · ‖U − U before‖².
  double damping = 0;
  bool damping_in_swamps = false;  ///< kSwampDamping at least, while the start is in a swamp (see CpHealth)
  int iterations = 100;            ///< most sweeps of one start
  double tolerance = 1e-6;         ///< on the change of fit in two successive sweeps; 0: run all sweeps
  CpInit init = CpInit::random;    ///< nvecs: leading singular vectors of the unfoldings (see leading_vectors)
  std::shared_ptr<const CpGivenStart> given;  ///< for CpInit::given
  int restarts = 1;                           ///< starts, of which the best fit is kept; 1 with a given one
  int start_groups = 1;  ///< groups of ranks that make starts at the same time; at most as many as starts or ranks
  /// The whole tensor on the ranks of a group, where there is more than one; without it there is one. Collective there.
  std::function<std::unique_ptr<DistributedTensor>(const Communicator& group)> group_tensor;
  std::uint64_t seed = 0;
  CountSolver count_solver = CountSolver::automatic;  ///< cp_apr only
};

/// State after one sweep, for progress.
struct CpStep {
  int restart = 0;
  int iteration = 0;  ///< from 1
  double fit = 0;
  double change = 0;     ///< of the fit since the sweep before; fall of the deviance per count where there is one
  double objective = 0;  ///< ‖X − M‖² and the penalties; falls from sweep to sweep
  std::optional<double> deviance{};
};

enum class StopReason { tolerance, iterations, requested };

/// Hooks of a run; all may be empty. `progress` is called on every active rank after each sweep. `stop` is asked on
/// every active rank before the next sweep: when any of them says true, all stop after it. With `checkpoints` the run
/// goes on from the newest generation, if there is one, saves its state when that is due and before it stops on
/// request, and once at its end; equal ranks then give the bits of the unbroken run. A finished run goes on if the limit
/// of sweeps has grown and it had stopped there; of several starts only the one that was kept goes on.
struct CpObserver {
  std::function<void(const CpStep&)> progress;
  std::function<bool()> stop;
  Checkpoints* checkpoints = nullptr;
};

/// Distributed CP model. Factor rows stay with their owners.
///
/// Normal form (see KruskalTensor) as far as the constraints leave room: columns have unit length in the modes whose
/// constraint is a cone; where no mode is, the factors hold the scale (see ComponentScale). Signs are turned only in
/// modes that allow either sign.
struct CpResult {
  std::vector<double> weights;           ///< on all ranks
  std::vector<FactorMatrix> factors;     ///< rows of this rank, one matrix a mode (no rows on inactive ranks)
  std::vector<std::vector<Index>> rows;  ///< their global row numbers, increasing; rows nobody holds are zero
  double fit = 0;                        ///< 1 − ‖X − M‖ / ‖X‖; 1 for a zero tensor with a zero model
  double relative_error = 0;             ///< ‖X − M‖ / ‖X‖
  double objective = 0;                  ///< ‖X − M‖² and the penalties of all modes
  double fit_resolution = 0;             ///< the fit may be off by this much through cancellation
  int iterations = 0;                    ///< sweeps of the start that was kept
  bool converged = false;
  StopReason stopped = StopReason::iterations;
  int best_restart = 0;
  int start_groups = 1;                 ///< that made the starts
  std::vector<double> restart_fits;     ///< one a start
  int dead_components = 0;              ///< components that are zero
  CpHealth health;                      ///< of the start that was kept
  std::vector<std::string> notes;       ///< what the user should know (damped solves, zero tensor …)
  std::optional<HoldoutScore> holdout;  ///< absent without a holdout, and where the run was stopped
  /// Poisson models only (see cp_apr):
  std::optional<double> deviance;
  double kkt_violation = 0;
  std::vector<double> component_totals;  ///< expected count of each component: the weights for columns of unit sum
  std::vector<double> restart_deviances;
};

constexpr double kSwampDamping = 0.01;

/// Refuses a tensor whose squared norm is not a normal number, so that a fit would mean nothing. Not collective.
/// @throws Error{numerical} naming the largest magnitude
void check_norm(const DistributedTensor& tensor);

/// Refuses options that cannot be met for a tensor of this shape: numbers out of range, constraints that cannot hold or contradict,
/// a solver that no mode can use. Not collective. @throws Error{usage}
void check_cp_options(std::span<const Index> shape, const CpOptions& options);

/// CP (canonical polyadic) decomposition by alternating least squares under constraints a mode.
///
/// Minimises ‖X − M‖² + penalties (see Constraint). Each mode in turn: closed forms (least squares with ridge, orthogonal),
/// HALS or block principal pivoting (nonnegative, also with l1 and ridge), ADMM (everything else). Where a mode is
/// penalised, every mode that could grow for nothing is bounded to columns of norm 1, and a note says so.
///
/// One sweep updates the modes in order: local MTTKRP, reduction to the row owners, update, normalisation to unit
/// columns, and the new rows back to those who touch them; Gram matrix, norms and fit scalars travel in one message.
/// The fit needs no residual tensor: ‖X − M‖² = ‖X‖² − 2⟨X, M⟩ + ‖M‖² from the last MTTKRP of the sweep; where that
/// cancels (below 1e-10 ‖X‖²) the stored cells are summed directly. Stops when the fit changes by less than the
/// tolerance in two successive sweeps. Collective over all ranks of the tensor's communicator.
///
/// Cells that are kept apart (Holdout) are imputed from the model before each update (expectation–maximisation: Dempster,
/// Laird & Rubin 1977), so that the fit is that of the other cells.
///
/// Proximal damping makes each update a step of bounded length and leaves what is minimised as it is: no sweep raises the
/// objective (Li, Kindermann & Navasca 2013).
///
/// Where absent cells are not observed (DistributedTensor::only_observed), the loss, ‖X‖ and the fit are those of the stored
/// cells, and every row has normal equations of its own: see CpObservedSweep.
///
/// Several starts are made one after the other, or by groups of ranks at the same time, each group with the whole tensor
/// (options.start_groups). The factors of the result are then with the ranks of one group.
/// The starts depend on the seed and the global rows only. Equal ranks give equal bits; other numbers of ranks agree to
/// rounding. Cost a sweep: N MTTKRPs (dense: two passes over the cells, see DimensionTree) + O(rank²) a row. Memory: the
/// factor rows of this rank, once more those of its longest mode, once more all when there are several starts, and
/// DistributedTensor::sweep_bytes.
/// Carroll & Chang 1970, Harshman 1970; HALS: Cichocki & Phan 2009.
/// AO-ADMM: Huang, Sidiropoulos & Liavas 2016; extrapolation with restart: Mitchell, Ye & De Sterck 2020.
/// @throws Error{usage} as check_cp_options, Error{numerical} when values overflow
CpResult cp_als(const DistributedTensor& tensor, const CpOptions& options, const CpObserver& observer = {});

}  // namespace tempera
