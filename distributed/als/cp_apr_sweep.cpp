#include "distributed/als/cp_apr_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.hpp"
#include "core/base/parallel.hpp"
#include "core/factorization/row_sums.hpp"
#include "core/tensor/count_products.hpp"
#include "distributed/als/cp_apr.hpp"
#include "distributed/als/cp_fit.hpp"
#include "distributed/als/start_values.hpp"

namespace tempera {

namespace {

// Steps of a row before the next mode's turn: a product with all other rows follows each, so few pay.
constexpr int kNewtonSteps = 2;
constexpr int kMultiplicativeSteps = 5;
constexpr Index kPieceRows = 64;          // what a thread takes at a time
constexpr double kLeastExpected = 1e-10;  // a count where the model says never is a large loss, not an infinite one

}  // namespace

CountSteps count_steps(CountSolver chosen) {
  if (chosen == CountSolver::newton) return {kNewtonSteps, CountContent::with_hessian};
  return {kMultiplicativeSteps, CountContent::gradient};
}

CpAprSweep::CpAprSweep(const DistributedTensor& tensor, const CpOptions& options, double total)
    : CpMethod(tensor, options.rank),
      options_(options),
      newton_(chosen_solver(tensor, options) == CountSolver::newton),
      way_(count_steps(chosen_solver(tensor, options))),
      total_(total) {
  Index longest = 0;
  for (int mode = 0; mode < tensor.order(); ++mode) longest = std::max(longest, tensor.rows(mode).rows());
  product_ = FactorMatrix(longest, count_columns(options.rank, way_.content));
  if (!tensor.holdout().empty() || tensor.only_observed()) row_sums_ = FactorMatrix(longest, options.rank);
}

FactorMatrix CpAprSweep::take_held_factor(int mode) {
  product_ = FactorMatrix();
  return CpMethod::take_held_factor(mode);
}

void CpAprSweep::start(int restart) {
  weights_.assign(static_cast<std::size_t>(options_.rank), total_ / static_cast<double>(options_.rank));
  const bool given = options_.init == CpInit::given && restart == 0;
  if (given) weights_ = options_.given->weights();
  FactorMatrix unseen(0, options_.rank);
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    FactorMatrix& factor = factors_[static_cast<std::size_t>(mode)];
    fill_start(tensor_, options_, Constraint::nonnegative, restart, mode, {factor, unseen, {}});
    for (double& value : factor.storage()) value = std::max(value, 0.0);
    const std::vector<double> sums = normalise(mode, {});
    for (std::size_t r = 0; given && r < weights_.size(); ++r) weights_[r] *= sums[r];
  }
  kkt_ = 0;
  measure();
}

void CpAprSweep::restore(const CpStart& start, const CheckpointReader& checkpoint) {
  weights_ = start.weights;
  deviance_ = start.deviance;
  kkt_ = start.kkt_violation;
  relative_error_ = start.relative_error;
  fit_resolution_ = start.fit_resolution;
  for (int mode = 0; mode < tensor_.order(); ++mode)
    checkpoint.rows(fmt::format("/factors/{}", mode), tensor_.rows(mode).global_rows,
                    factors_[static_cast<std::size_t>(mode)]);
}

void CpAprSweep::describe(CpStart& start) const {
  start.weights = weights_;
  start.deviance = deviance_;
  start.kkt_violation = kkt_;
  start.fit = 1 - relative_error_;
  start.relative_error = relative_error_;
  start.fit_resolution = fit_resolution_;
}

StepWish CpAprSweep::sweep(StepWish wish) {
  const Communicator& ranks = tensor_.grid().active_ranks();
  const auto whole = ranks.regions().open("sweep");
  StepWish agreed;
  kkt_ = 0;
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    sum_others(mode);
    scale_columns(mode, weights_);
    for (int step = 0; step < way_.steps; ++step) improve_rows(mode, step == 0);
    const double wishes[] = {wish.save ? 1.0 : 0.0, wish.stop ? 1.0 : 0.0};
    std::vector<double> sums = normalise(mode, wishes);
    agreed = {sums[sums.size() - 2] > 0, sums.back() > 0};
    sums.resize(weights_.size());
    weights_ = sums;
  }
  measure();
  return agreed;
}

/// The expected counts of cells that are kept apart are no part of the loss: what they add to the column sums goes. Where
/// absent cells are not observed, the sums are taken over the observed ones.
void CpAprSweep::sum_others(int mode) {
  if (row_sums_.columns() == 0) return;
  row_sums_.set_rows(tensor_.rows(mode).rows());
  if (tensor_.only_observed()) {
    tensor_.count_products(factors_, mode, CountContent::sums, row_sums_);
  } else {
    const CellList& cells = tensor_.holdout().cells;
    row_sums_.set_zero();
    add_mttkrp(cells, std::vector<double>(cells.values.size(), 1.0), factors_, mode, row_sums_);
  }
  tensor_.exchange(mode).reduce_to_owners(row_sums_);
}

double CpAprSweep::cell_loss(double x, double m) const {
  const double floored = std::max(m, kLeastExpected);
  return 2 * ((x > 0 ? x * std::log(x / floored) : 0) - x + m);
}

/// One step of every row of a mode, whose rows hold the weights.
void CpAprSweep::improve_rows(int mode, bool first) {
  RegionTable& regions = tensor_.grid().active_ranks().regions();
  const auto m = static_cast<std::size_t>(mode);
  const RowExchange& exchange = tensor_.exchange(mode);
  const RowLayout& layout = exchange.layout();
  {
    const auto region = regions.open("products");
    product_.set_rows(layout.rows());
    tensor_.count_products(factors_, mode, way_.content, product_);
  }
  {
    const auto region = regions.open("reduce rows");
    exchange.reduce_to_owners(product_);
  }
  {
    const auto region = regions.open("update");
    step_rows(factors_[m], layout, first);
  }
  const auto region = regions.open("share rows");
  exchange.share_with_ghosts(factors_[m]);
}

void CpAprSweep::step_rows(FactorMatrix& factor, const RowLayout& layout, bool first) {
  const auto rank = static_cast<std::size_t>(options_.rank);
  std::vector<double> whole_sums(rank);  // of the other modes: 1, or 0 once a component has died
  for (std::size_t r = 0; r < rank; ++r) whole_sums[r] = weights_[r] > 0 ? 1.0 : 0.0;
  struct Worker {
    CountNewton newton;
    std::vector<double> column_sums;
    double kkt = 0;
  };
  std::vector<Worker> workers(static_cast<std::size_t>(workers_for(layout.owned_count, kPieceRows, tensor_.threads())),
                              Worker{CountNewton(newton_ ? options_.rank : 0), whole_sums});
  for_each_piece(layout.owned_count, kPieceRows, tensor_.threads(), [&](const Piece& piece) {
    auto& [newton, column_sums, kkt] = workers[static_cast<std::size_t>(piece.worker)];
    for (Index i = layout.owned_begin + piece.begin; i < layout.owned_begin + piece.end; ++i) {
      const std::span<double> row(factor.row(i), rank);
      const std::span<const double> phi(product_.row(i), rank);
      for (std::size_t r = 0; r < rank && row_sums_.rows() > 0; ++r) {  // rounding may not leave less than nothing
        const double sum = row_sums_(i, static_cast<Index>(r));
        column_sums[r] = std::max(1e-12 * whole_sums[r], tensor_.only_observed() ? sum : whole_sums[r] - sum);
      }
      if (first) kkt = std::max(kkt, count_kkt(row, phi, column_sums));
      if (newton_)
        newton.step(row, phi, {product_.row(i) + rank, rank * (rank + 1) / 2}, column_sums);
      else if (!first || !shift_inadmissible_zeros(row, phi, column_sums, weights_))
        multiplicative_step(row, phi, column_sums);
    }
  });
  for (const Worker& worker : workers) kkt_ = std::max(kkt_, worker.kkt);
}

void CpAprSweep::scale_columns(int mode, std::span<const double> factors) {
  tempera::scale_columns(factors_[static_cast<std::size_t>(mode)], factors, tensor_.threads());
}

/// Divides the columns by their sums (a zero column stays zero); returns these and the sums of `more` over the ranks.
std::vector<double> CpAprSweep::normalise(int mode, std::span<const double> more) {
  const Communicator& ranks = tensor_.grid().active_ranks();
  const FactorMatrix& factor = factors_[static_cast<std::size_t>(mode)];
  const RowLayout& layout = tensor_.rows(mode);
  const auto rank = static_cast<std::size_t>(options_.rank);
  std::vector<double> sums(rank, 0.0);
  for (Index i = layout.owned_begin; i < layout.owned_begin + layout.owned_count; ++i)
    for (std::size_t r = 0; r < rank; ++r) sums[r] += factor(i, static_cast<Index>(r));
  sums.insert(sums.end(), more.begin(), more.end());
  {
    const auto region = ranks.regions().open("column sums");
    ranks.all_reduce(std::span<double>(sums), Reduction::sum);
  }
  std::vector<double> scale(rank);
  for (std::size_t r = 0; r < rank; ++r) scale[r] = sums[r] > 0 ? 1 / sums[r] : 0.0;
  scale_columns(mode, scale);
  return sums;
}

/// Deviance and fit of the model as it stands.
void CpAprSweep::measure() {
  const Communicator& ranks = tensor_.grid().active_ranks();
  const auto region = ranks.regions().open("deviance");
  const CountSums local = tensor_.count_sums(factors_, weights_);
  const std::vector<double> held = held_values();
  std::vector<double> sums{local.deviance, local.model, local.inner_product,
                           std::accumulate(held.begin(), held.end(), 0.0)};
  const std::size_t scalars = sums.size();
  const auto square = static_cast<std::size_t>(options_.rank * options_.rank);
  for (int mode = 0; mode < tensor_.order(); ++mode) {
    const RowLayout& layout = tensor_.rows(mode);
    const auto values = gram(factors_[static_cast<std::size_t>(mode)], layout.owned_begin, layout.owned_count).values;
    sums.insert(sums.end(), values.begin(), values.end());
  }
  ranks.all_reduce(std::span<double>(sums), Reduction::sum);
  kkt_ = ranks.all_reduce_value(kkt_, Reduction::maximum);
  double model_squared = 0;
  for (std::size_t k = 0; k < square; ++k) {
    const auto rank = static_cast<std::size_t>(options_.rank);
    double product = weights_[k / rank] * weights_[k % rank];
    for (std::size_t at = scalars + k; at < sums.size(); at += square) product *= sums[at];
    model_squared += product;
  }
  // Cells that are not stored are zeros: what the model expects there is its total less what it expects elsewhere.
  // Cells that are kept apart do not count; where every cell is stored they stand there as zeros.
  const double total = tensor_.every_cell_stored() ? sums[1] : std::accumulate(weights_.begin(), weights_.end(), 0.0);
  double elsewhere = total - sums[1] - sums[3];
  if (!tensor_.every_cell_stored()) elsewhere = std::max(0.0, elsewhere);
  if (tensor_.only_observed()) elsewhere = 0;
  // One rank's figure holds for all: ranks of one job may run on different processors.
  deviance_ = ranks.broadcast_value(2 * (sums[0] + elsewhere), 0);
  if (!std::isfinite(deviance_))
    throw Error(Category::numerical, "", "the deviance is not finite: the model overflows",
                "choose another --seed or a lower --rank");
  const CpFit fit = fit_of(tensor_, factors_, weights_, sums[2], model_squared);
  relative_error_ = fit.relative_error;
  fit_resolution_ = fit.resolution;
}

}  // namespace tempera
