#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/sampling/block_model.hpp"
#include "core/tensor/cell_blocks.hpp"
#include "core/tensor/cell_sums.hpp"
#include "core/tensor/factor_matrix.hpp"
#include "core/tensor/gram.hpp"

namespace tempera {

enum class CpLikelihood { gaussian, poisson };

/// The posterior of a CP model: cells x ~ N(m, noise_sd²) or x ~ Poisson(m) with m = Σ_r Π of the factor rows.
///
/// Priors, independent for all entries of all factors, proper and normalised, so that evidences are absolute:
/// - Gaussian: entries ~ N(0, prior_scale²). By default prior_scale = (mean x² / rank)^(1/(2 order)), which makes the prior
///   mean of m² that of the cells.
/// - Poisson: entries ~ Gamma(prior_shape, rate prior_rate), positive. By default the shape is 1 and the rate such that
///   the prior mean of m is the mean cell: rate = shape / (mean x / rank)^(1/order).
/// - noise_sd, if it is not fixed, ~ half-normal: |N(0, noise_scale²)|, by default the root mean square of the cells. It has
///   finite density at 0, no tuning by hand, and a tail that does not matter.
/// Means are over all observed cells, those that are zero too, without those kept apart.
struct CpModelOptions {
  Index rank = 16;
  CpLikelihood likelihood = CpLikelihood::gaussian;
  std::optional<double> noise_sd;  ///< of a Gaussian likelihood; absent: a parameter
  std::optional<double> noise_scale;
  std::optional<double> prior_scale;
  double prior_shape = 1;  ///< from kLeastShape on
  std::optional<double> prior_rate;
  int threads = 1;  ///< OpenMP threads of one evaluation; no bit depends on them

  static constexpr double kLeastShape = 0.1;  ///< below, draws of the prior underflow
};

/// What the model is told of a tensor. Immutable; processes that hold different blocks agree on all but those.
struct CpData {
  CellBlocks cells;  ///< stored and not kept apart; zeros among them need not be stored
  /// Cells kept apart, of data whose absent cells are zeros: their part of the sums over all cells is taken out. The values do
  /// not matter. As many blocks as `cells`, on the same processes.
  CellBlocks held;
  bool observed_only = false;  ///< absent cells are not observed: `held` is empty
  double observed = 0;         ///< cells that the likelihood is about, zeros too, those kept apart not
  double sum = 0;              ///< of those cells
  double squares = 0;
  double log_factorials = 0;  ///< Σ log x!; of a Poisson likelihood only
};

/// Sums of a block of cells that CpData holds over all: Σ x, Σ x², Σ log x! (0 unless `counts`).
struct CellMoments {
  double sum = 0, squares = 0, log_factorials = 0;
};
CellMoments cell_moments(const CsfTensor& tree, bool counts);
/// Of each block that is on this process.
std::vector<CellMoments> block_moments(const CellBlocks& blocks, bool counts);
/// The sums over all blocks, given in their order, along the tree over them.
void set_moments(std::span<const CellMoments> blocks, CpData& data);

/// All data on one process. @param cells  distinct @param held  cells kept apart; see CpData
CpData cp_data(const SparseTensor& cells, const SparseTensor& held, CpLikelihood likelihood, bool observed_only,
               Index blocks);

/// Parameters: factor_0, factor_1, … of shape {rows, rank}, then noise_sd if it is one.
///
/// A piece holds two sums of log-likelihoods and, for the gradient, a row of rank numbers for each row of each mode that the
/// block touches. What the cells that are not stored add is in closed form, by Gram matrices or column sums, in combine():
/// 2 rank² operations for each row of the factors with a Gaussian likelihood, 2 rank with Poisson. Its absolute error is a few
/// ε ‖X‖² / noise_sd², which counts where the noise is below some 1e-6 of the cells.
/// A model value below 1e-290 at a positive count, and overflow, is a point without mass: −∞.
///
/// Memory of one object: the factors and a piece a block, 8 bytes a number; the data are shared by clones.
class CpModel final : public BlockModel {
 public:
  /// @throws Error{usage} for options that make no sense, Error{input} where a default needs data that are not all zero
  CpModel(std::shared_ptr<const CpData> data, const CpModelOptions& options);

  /// With the defaults filled in.
  const CpModelOptions& options() const { return options_; }
  const CpData& data() const { return *data_; }

  std::vector<ParameterBlock> parameters() const override;
  double log_prior(std::span<const double> theta, std::span<double> gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override;
  std::unique_ptr<Model> clone() const override { return std::make_unique<CpModel>(*this); }

  Index blocks() const override { return data_->cells.blocks; }
  Index first_block() const override { return data_->cells.first; }
  Index end_block() const override { return data_->cells.end(); }
  Index piece_size(Index block, bool gradient) const override;
  void compute_pieces(std::span<const double> theta, bool gradient, std::span<double> pieces) override;
  double combine(std::span<const double> theta, std::span<const std::span<const double>> pieces,
                 std::span<double> gradient) override;
  /// Components in decreasing order of the product of their columns' sums (Poisson) or norms (Gaussian); with a Gaussian
  /// likelihood Σ a |a| ≥ 0 in the columns of all modes but the last.
  void choose_representative(std::span<double> theta) const override;

 private:
  bool gaussian() const { return options_.likelihood == CpLikelihood::gaussian; }
  bool noise_is_parameter() const { return gaussian() && !options_.noise_sd; }
  std::size_t factor_entries() const { return static_cast<std::size_t>(offsets_.back()); }
  std::span<const double> factor_of(std::span<const double> theta, std::size_t mode) const;
  void turn_columns(std::span<double> theta) const;
  void load_factors(std::span<const double> theta);
  void evaluate(Index block, CellSums& sums, double* piece) const;
  void differentiate(Index block, int mode, CellSums& sums, double* piece) const;
  void add_rows(std::span<const std::span<const double>> pieces, std::span<double> gradient) const;
  double sum_of_squares(std::span<const double> theta, std::span<double> gradient);
  double sum_of_models(std::span<const double> theta, std::span<double> gradient);
  double gaussian_likelihood(double stored, double held, double squares, std::span<const double> theta,
                             std::span<double> gradient) const;

  std::shared_ptr<const CpData> data_;
  CpModelOptions options_;
  std::vector<Index> offsets_;  ///< of the factors in θ, and their end
  int value_mode_ = 0;          ///< whose blocks give the values
  std::vector<FactorMatrix> factors_;
  std::vector<CellSums> sums_;       ///< one a thread
  std::vector<std::size_t> places_;  ///< of the blocks that are here, in their pieces with gradient
  std::vector<double> block_values_;
  std::vector<GramMatrix> grams_;    ///< one a mode, and their product
  std::vector<double> column_sums_;  ///< the same
};

}  // namespace tempera
