#include "distributed/als/cp_observed_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.hpp"
#include "core/base/parallel.hpp"
#include "core/factorization/constraint_prox.hpp"
#include "core/factorization/row_sums.hpp"
#include "core/tensor/count_products.hpp"
#include "distributed/als/cp_fit.hpp"
#include "distributed/als/start_values.hpp"

namespace tempera {

namespace {

constexpr Index kPieceRows = 32;  // what a thread takes at a time: each row has equations of its own, rank³ operations

}  // namespace

CpObservedSweep::CpObservedSweep(const DistributedTensor& tensor, const CpOptions& options)
    : CpMethod(tensor, options.rank), options_(options), scale_(scale_of(options.constraints)) {
  Index longest = 0;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    solvers_.emplace_back(options.rank, options.constraints[m], options.solver);
    duals_.emplace_back(solvers_[m].uses_admm() ? tensor.rows(mode).owned_count : 0, options.rank);
    longest = std::max(longest, tensor.rows(mode).rows());
  }
  moments_ = FactorMatrix(longest, count_columns(options.rank, CountContent::normal_equations));
  grams_.assign(factors_.size(), GramMatrix(options.rank));
  penalties_.assign(factors_.size(), 0.0);
}

bool CpObservedSweep::keeps_unit_columns(int mode) const {
  return options_.constraints[static_cast<std::size_t>(mode)].is_cone();
}

FactorMatrix CpObservedSweep::take_held_factor(int mode) {
  moments_ = FactorMatrix();
  return CpMethod::take_held_factor(mode);
}

void CpObservedSweep::start(int restart) {
  damped_ = pseudo_inverse_ = false;
  weights_.assign(static_cast<std::size_t>(options_.rank), 1.0);
  const bool given = options_.init == CpInit::given && restart == 0;
  std::vector<double> scales = given ? options_.given->weights() : weights_;
  std::vector<double> share;
  if (given && scale_ == ComponentScale::held) share = share_of_given_weights(options_, tensor_.order());
  FactorMatrix unseen(0, options_.rank);
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    fill_start(tensor_, options_, options_.constraints[m], restart, mode, {factors_[m], unseen, {}});
    if (!share.empty()) scale_columns(factors_[m], share, tensor_.threads());
    duals_[m].set_zero();
    const Constraint set = options_.constraints[m].without_penalties();
    for (Index i = 0; set != Constraint() && i < factors_[m].rows(); ++i)
      prox_row(set, {factors_[m].row(i), weights_.size()}, 1);
    finish_mode(mode, {});
    for (std::size_t r = 0; keeps_unit_columns(mode) && r < scales.size(); ++r) scales[r] *= weights_[r];
  }
  if (given && scale_ != ComponentScale::held) {
    weights_ = scales;
    return measure();
  }
  // Modes of fixed scale that come before any cone need weights of about the right size.
  weights_.assign(weights_.size(), 1.0);
  if (scale_ == ComponentScale::held) return measure();
  const ResidualSums local = tensor_.residual_sums(factors_, weights_);
  double sums[] = {local.residual_squared, local.model_squared};
  tensor_.grid().active_ranks().all_reduce(std::span<double>(sums), Reduction::sum);
  const double inner = (tensor_.norm_squared() + sums[1] - sums[0]) / 2;
  const double best = inner > 0 && sums[1] > 0 ? inner / sums[1] : 1.0;
  weights_.assign(weights_.size(), tensor_.grid().active_ranks().broadcast_value(best, 0));
  measure();
}

StepWish CpObservedSweep::sweep(StepWish wish) {
  RegionTable& regions = tensor_.grid().active_ranks().regions();
  const auto whole = regions.open("sweep");
  StepWish agreed;
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const RowExchange& exchange = tensor_.exchange(mode);
    {
      const auto region = regions.open("products");
      moments_.set_rows(exchange.layout().rows());
      tensor_.count_products(factors_, mode, CountContent::normal_equations, moments_);
    }
    {
      const auto region = regions.open("reduce rows");
      exchange.reduce_to_owners(moments_);
    }
    {
      const auto region = regions.open("update");
      update_rows(mode);
    }
    agreed = finish_mode(mode, wish);
  }
  measure();
  return agreed;
}

void CpObservedSweep::update_rows(int mode) {
  const auto m = static_cast<std::size_t>(mode);
  const RowLayout& layout = tensor_.rows(mode);
  const std::size_t rank = weights_.size();
  const bool unit = keeps_unit_columns(mode);
  const std::span<const double> weights = unit ? std::span<const double>() : std::span<const double>(weights_);
  if (unit) scale_columns(factors_[m], weights_, tensor_.threads());  // where the iterative solvers go on from
  struct Worker {
    RowLeastSquares solver;
    bool damped = false, pseudo_inverse = false;
  };
  std::vector<Worker> workers(static_cast<std::size_t>(workers_for(layout.owned_count, kPieceRows, tensor_.threads())),
                              Worker{solvers_[m]});
  for_each_piece(layout.owned_count, kPieceRows, tensor_.threads(), [&](const Piece& piece) {
    Worker& worker = workers[static_cast<std::size_t>(piece.worker)];
    RowLeastSquares& solver = worker.solver;
    for (Index k = piece.begin; k < piece.end; ++k) {
      const Index i = layout.owned_begin + k;
      const std::span<double> dual(solver.uses_admm() ? duals_[m].row(k) : nullptr, solver.uses_admm() ? rank : 0);
      solver.solve({moments_.row(i), static_cast<std::size_t>(moments_.columns())}, weights, {factors_[m].row(i), rank},
                   dual);
      worker.damped = worker.damped || solver.method() == NormalEquations::Method::damped_cholesky;
      worker.pseudo_inverse = worker.pseudo_inverse || solver.method() == NormalEquations::Method::pseudo_inverse;
    }
  });
  for (const Worker& worker : workers) {
    damped_ = damped_ || worker.damped;
    pseudo_inverse_ = pseudo_inverse_ || worker.pseudo_inverse;
  }
}

/// Column norms over the ranks, unit columns where the mode keeps them, penalty, and the new rows to those who touch them.
StepWish CpObservedSweep::finish_mode(int mode, StepWish wish) {
  const auto m = static_cast<std::size_t>(mode);
  const Communicator& ranks = tensor_.grid().active_ranks();
  const RowLayout& layout = tensor_.rows(mode);
  const std::size_t rank = weights_.size();
  std::vector<double> message = gram(factors_[m], layout.owned_begin, layout.owned_count).values;
  const std::size_t at = message.size();
  double l1 = 0;
  for (Index i = layout.owned_begin; i < layout.owned_begin + layout.owned_count; ++i)
    for (std::size_t r = 0; r < rank; ++r) l1 += std::abs(factors_[m].row(i)[r]);
  message.insert(message.end(), {l1, wish.save ? 1.0 : 0.0, wish.stop ? 1.0 : 0.0});
  {
    const auto region = ranks.regions().open("gram");
    ranks.all_reduce(std::span<double>(message), Reduction::sum);
  }
  std::copy_n(message.begin(), at, grams_[m].values.begin());
  double squares = 0;
  for (std::size_t r = 0; r < rank; ++r) squares += message[r * (rank + 1)];
  if (keeps_unit_columns(mode)) {
    std::vector<double> scale(rank);
    for (std::size_t r = 0; r < rank; ++r) {
      weights_[r] = std::sqrt(message[r * (rank + 1)]);
      scale[r] = weights_[r] > 0 ? 1 / weights_[r] : 0.0;
    }
    scale_columns(factors_[m], scale, tensor_.threads());
    for (std::size_t k = 0; k < at; ++k) grams_[m].values[k] *= scale[k / rank] * scale[k % rank];
  }
  const Constraint& constraint = options_.constraints[m];
  penalties_[m] = constraint.l1 * message[at] + constraint.ridge * squares;
  const auto region = ranks.regions().open("share rows");
  tensor_.exchange(mode).share_with_ghosts(factors_[m]);
  return {message[at + 1] > 0, message[at + 2] > 0};
}

void CpObservedSweep::measure() {
  const CpFit fit = observed_fit(tensor_, factors_, weights_);
  relative_error_ = fit.relative_error;
  fit_resolution_ = fit.resolution;
  objective_ = fit.residual_squared + std::accumulate(penalties_.begin(), penalties_.end(), 0.0);
}

void CpObservedSweep::restore(const CpStart& start, const CheckpointReader& checkpoint) {
  weights_ = start.weights;
  relative_error_ = start.relative_error;
  fit_resolution_ = start.fit_resolution;
  objective_ = start.objective;
  damped_ = start.damped;
  pseudo_inverse_ = start.pseudo_inverse;
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    checkpoint.rows(fmt::format("/factors/{}", mode), tensor_.rows(mode).global_rows, factors_[m]);
    if (solvers_[m].uses_admm())
      checkpoint.rows(fmt::format("/dual/{}", mode), tensor_.rows(mode).owned_rows(), duals_[m]);
  }
}

void CpObservedSweep::save(CheckpointWriter& writer, bool without_factors) {
  CpMethod::save(writer, without_factors);
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    if (!solvers_[m].uses_admm()) continue;
    if (without_factors) duals_[m].set_zero();  // they belong to the factors of another start
    writer.rows(fmt::format("/dual/{}", mode), tensor_.shape()[m], tensor_.rows(mode).owned_rows(), duals_[m]);
  }
}

void CpObservedSweep::describe(CpStart& start) const {
  start.weights = weights_;
  start.fit = 1 - relative_error_;
  start.relative_error = relative_error_;
  start.fit_resolution = fit_resolution_;
  start.objective = objective_;
  start.damped = damped_;
  start.pseudo_inverse = pseudo_inverse_;
  start.grams.clear();
  for (const GramMatrix& one : grams_) start.grams.push_back(one.values);
}

std::vector<std::string> notes_on_observed_rows(const DistributedTensor& tensor, const CpOptions& options) {
  std::vector<FactorMatrix> ones;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    ones.emplace_back(tensor.rows(mode).rows(), 1);
    std::fill(ones.back().storage().begin(), ones.back().storage().end(), 1.0);
  }
  std::vector<std::string> notes;
  for (int mode = 0; mode < tensor.order(); ++mode) {
    const auto m = static_cast<std::size_t>(mode);
    const RowLayout& layout = tensor.rows(mode);
    FactorMatrix cells(layout.rows(), 1);
    tensor.count_products(ones, mode, CountContent::sums, cells);
    tensor.exchange(mode).reduce_to_owners(cells);
    Index counts[] = {0, 0};  // rows with observed cells, those of them with fewer than the rank
    for (Index i = layout.owned_begin; i < layout.owned_begin + layout.owned_count; ++i) {
      counts[0] += cells(i, 0) > 0 ? 1 : 0;
      counts[1] += cells(i, 0) > 0 && cells(i, 0) < static_cast<double>(options.rank) ? 1 : 0;
    }
    tensor.grid().active_ranks().all_reduce(std::span<Index>(counts), Reduction::sum);
    const Index empty = tensor.shape()[m] - counts[0];
    if (empty > 0)
      notes.push_back(
          fmt::format("{} of {} rows of mode {} have no observed cell: they are zero", empty, tensor.shape()[m], mode));
    const bool determined = !options.constraints.empty() && options.constraints[m].ridge > 0;
    if (counts[1] > 0 && !determined)
      notes.push_back(fmt::format(
          "{} of {} rows of mode {} have fewer observed cells than the rank of {}: the data do not determine "
          "them; --constraint ridge:X or a lower --rank does",
          counts[1], tensor.shape()[m], mode, options.rank));
  }
  return notes;
}

void check_observed_options(const DistributedTensor& tensor, const CpOptions& options) {
  if (options.extrapolation)
    throw Error(Category::usage, "--extrapolation", "does not go with --missing unobserved", "leave it out");
  if (options.damping > 0 || options.damping_in_swamps)
    throw Error(Category::usage, "--damping", "does not go with --missing unobserved", "leave it out");
  std::vector<Constraint> constraints = options.constraints;
  constraints.resize(static_cast<std::size_t>(tensor.order()));
  for (std::size_t mode = 0; mode < constraints.size(); ++mode)
    if (const auto reason = RowLeastSquares::why_not(constraints[mode], Solver::automatic))
      throw Error(Category::usage, "--constraint",
                  fmt::format("'{}' in mode {} does not go with --missing unobserved: {}", to_text(constraints[mode]),
                              mode, *reason),
                  "ridge, l1, nonnegative and boxes with 0 inside do");
  if (const auto reason = RowLeastSquares::why_not({}, options.solver))
    throw Error(Category::usage, "--solver", fmt::format("does not go with --missing unobserved: {}", *reason),
                "bpp solves nonnegative rows exactly; leave --solver away");
  if (!bound_free_modes(constraints).empty())
    throw Error(
        Category::usage, "--constraint",
        "with --missing unobserved a penalty has to be on every mode: the others would have to be bounded in norm, "
        "which couples their rows",
        "leave @MODES away, or give the other modes a ridge or a box");
}

}  // namespace tempera
