#include "core/sampling/cp_model.hpp"

#include <cblas.h>
#include <fmt/format.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/base/parallel.hpp"
#include "core/sampling/detail/densities.hpp"
#include "core/tensor/gram.hpp"

namespace tempera {

namespace {

using Entries = Eigen::Map<const Eigen::ArrayXd>;
constexpr double kNothing = -std::numeric_limits<double>::infinity();

Entries entries(std::span<const double> values) {
  return {values.data(), std::ssize(values)};
}

/// What the cells that are stored add to the log-likelihood, and what those kept apart give back to the sums over all.
struct Functions {
  CellFunction stored, held;
};

Functions functions_of(CpLikelihood likelihood, bool observed_only) {
  if (likelihood == CpLikelihood::gaussian)
    return {observed_only ? CellFunction::residual : CellFunction::product, CellFunction::square};
  return {observed_only ? CellFunction::counts : CellFunction::logarithm, CellFunction::model};
}

void check_positive(const char* name, const std::optional<double>& value) {
  if (value && !(*value > 0 && std::isfinite(*value)))
    throw Error(Category::usage, name, fmt::format("is {}, it has to be a positive number", *value));
}

void check(const CpModelOptions& options) {
  if (options.rank < 1) throw Error(Category::usage, "rank", fmt::format("is {}, below 1", options.rank));
  check_positive("noise_sd", options.noise_sd);
  check_positive("noise_scale", options.noise_scale);
  check_positive("prior_scale", options.prior_scale);
  check_positive("prior_rate", options.prior_rate);
  if (!(options.prior_shape >= CpModelOptions::kLeastShape && std::isfinite(options.prior_shape)))
    throw Error(Category::usage, "prior_shape",
                fmt::format("is {}, it has to be {} or more", options.prior_shape, CpModelOptions::kLeastShape),
                "draws of smaller shapes are too small to be numbers");
}

/// The mean of x² or x, if a default needs it.
double mean_of(double total, const CpData& data, const char* option) {
  if (total > 0) return total / data.observed;
  throw Error(Category::input, "", fmt::format("all cells are zero: there is no scale to choose {} by", option),
              fmt::format("set {}", option));
}

CpModelOptions with_defaults(CpModelOptions options, const CpData& data) {
  check(options);
  const auto order = static_cast<double>(data.cells.order()), rank = static_cast<double>(options.rank);
  if (options.likelihood == CpLikelihood::poisson) {
    if (!options.prior_rate)
      options.prior_rate = options.prior_shape / std::pow(mean_of(data.sum, data, "prior_rate") / rank, 1 / order);
    return options;
  }
  if (!options.prior_scale)
    options.prior_scale = std::pow(mean_of(data.squares, data, "prior_scale") / rank, 0.5 / order);
  if (!options.noise_sd && !options.noise_scale)
    options.noise_scale = std::sqrt(mean_of(data.squares, data, "noise_scale"));
  return options;
}

/// FᵀF of a factor as it lies in θ.
void set_gram(std::span<const double> factor, GramMatrix& result) {
  const Index rank = result.rank;
  std::fill(result.values.begin(), result.values.end(), 0.0);
  const auto columns = static_cast<int>(rank);
  constexpr Index kRows = 4096;  // partial sums of a fixed length keep the rounding error small for long modes
  const Index rows = std::ssize(factor) / rank;
  for (Index row = 0; row < rows; row += kRows)
    cblas_dsyrk(CblasColMajor, CblasUpper, CblasNoTrans, columns, static_cast<int>(std::min(kRows, rows - row)), 1.0,
                factor.data() + row * rank, columns, 1.0, result.values.data(), columns);
  for (Index j = 0; j < rank; ++j)
    for (Index i = j + 1; i < rank; ++i) result(i, j) = result(j, i);
}

/// rows = −factor · H
void set_product(std::span<const double> factor, const GramMatrix& h, double* rows) {
  const auto columns = static_cast<int>(h.rank);
  constexpr Index kRows = 4096;
  const Index count = std::ssize(factor) / h.rank;
  for (Index row = 0; row < count; row += kRows)
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(std::min(kRows, count - row)), columns,
                columns, -1.0, factor.data() + row * h.rank, columns, h.values.data(), columns, 0.0,
                rows + row * h.rank, columns);
}

}  // namespace

std::vector<CellMoments> block_moments(const CellBlocks& blocks, bool counts) {
  std::vector<CellMoments> moments;
  for (const CsfTensor& tree : blocks.trees.front()) moments.push_back(cell_moments(tree, counts));
  return moments;
}

void set_moments(std::span<const CellMoments> blocks, CpData& data) {
  const auto sum = [&](double CellMoments::*value) {
    std::vector<double> values;
    for (const CellMoments& moments : blocks) values.push_back(moments.*value);
    return tree_sum(values);
  };
  data.sum = sum(&CellMoments::sum);
  data.squares = sum(&CellMoments::squares);
  data.log_factorials = sum(&CellMoments::log_factorials);
}

CellMoments cell_moments(const CsfTensor& tree, bool counts) {
  constexpr std::size_t kRun = 1024;  // short sums keep their last digits
  CellMoments moments;
  const auto values = tree.values();
  for (std::size_t begin = 0; begin < values.size(); begin += kRun) {
    CellMoments run;
    for (const double x : values.subspan(begin, std::min(kRun, values.size() - begin))) {
      run.sum += x;
      run.squares += x * x;
      if (counts) run.log_factorials += std::lgamma(x + 1);
    }
    moments.sum += run.sum;
    moments.squares += run.squares;
    moments.log_factorials += run.log_factorials;
  }
  return moments;
}

CpData cp_data(const SparseTensor& cells, const SparseTensor& held, CpLikelihood likelihood, bool observed_only,
               Index blocks) {
  TEMPERA_EXPECTS(!observed_only || held.nonzeros() == 0);
  CpData data;
  data.cells = cell_blocks(cells, blocks);
  data.held = cell_blocks(held, blocks);
  data.observed_only = observed_only;
  data.observed = observed_only ? static_cast<double>(cells.nonzeros())
                                : cell_count(cells.shape()) - static_cast<double>(held.nonzeros());
  set_moments(block_moments(data.cells, likelihood == CpLikelihood::poisson), data);
  return data;
}

CpModel::CpModel(std::shared_ptr<const CpData> data, const CpModelOptions& options)
    : data_(std::move(data)), options_(with_defaults(options, *data_)) {
  TEMPERA_EXPECTS(data_->held.blocks == data_->cells.blocks && data_->held.first == data_->cells.first);
  const auto& shape = data_->cells.shape;
  offsets_.push_back(0);
  for (const Index size : shape) {
    offsets_.push_back(offsets_.back() + size * options_.rank);
    factors_.emplace_back(size, options_.rank);
  }
  value_mode_ = static_cast<int>(std::min_element(shape.begin(), shape.end()) - shape.begin());
  if (gaussian()) grams_.assign(shape.size() + 1, GramMatrix(options_.rank));
  column_sums_.resize((shape.size() + 1) * static_cast<std::size_t>(options_.rank));
  sums_.resize(static_cast<std::size_t>(std::max(options_.threads, 1)));
  places_.push_back(0);
  for (Index block = first_block(); block < end_block(); ++block)
    places_.push_back(places_.back() + static_cast<std::size_t>(piece_size(block, true)));
}

std::vector<ParameterBlock> CpModel::parameters() const {
  std::vector<ParameterBlock> blocks;
  for (std::size_t mode = 0; mode < factors_.size(); ++mode)
    blocks.push_back({fmt::format("factor_{}", mode),
                      {data_->cells.shape[mode], options_.rank},
                      gaussian() ? Transform::identity() : Transform::lower(0)});
  if (noise_is_parameter()) blocks.push_back({"noise_sd", {}, Transform::lower(0)});
  return blocks;
}

double CpModel::log_prior(std::span<const double> theta, std::span<double> gradient) {
  const auto factors = entries(theta.first(factor_entries()));
  const auto count = static_cast<double>(factor_entries());
  Eigen::Map<Eigen::ArrayXd> slope(gradient.data(), gradient.empty() ? 0 : factors.size());
  if (!gaussian()) {
    const double shape = options_.prior_shape, rate = *options_.prior_rate;
    if (!gradient.empty()) slope = (shape - 1) / factors - rate;
    return (shape == 1 ? 0 : (shape - 1) * factors.log().sum()) - rate * factors.sum() +
           count * (shape * std::log(rate) - std::lgamma(shape));
  }
  const double precision = 1 / (*options_.prior_scale * *options_.prior_scale);
  if (!gradient.empty()) slope = -precision * factors;
  double prior =
      -0.5 * precision * factors.square().sum() - count * (std::log(*options_.prior_scale) + 0.5 * detail::kLogTwoPi);
  if (noise_is_parameter()) {
    const double scale = *options_.noise_scale;
    prior += std::log(2.0) + detail::log_normal(theta.back(), 0, scale);
    if (!gradient.empty()) gradient.back() = -theta.back() / (scale * scale);
  }
  return prior;
}

void CpModel::sample_prior(RandomStream& stream, std::span<double> theta) {
  for (double& entry : theta.first(factor_entries()))
    entry = gaussian() ? *options_.prior_scale * stream.normal()
                       : stream.gamma(options_.prior_shape, 1 / *options_.prior_rate);
  if (noise_is_parameter()) theta.back() = std::abs(*options_.noise_scale * stream.normal());
}

Index CpModel::piece_size(Index block, bool gradient) const {
  Index rows = 0;
  for (std::size_t mode = 0; gradient && mode < factors_.size(); ++mode)
    for (const CellBlocks* cells : {&data_->cells, &data_->held})
      rows += std::ssize(cells->rows[mode][static_cast<std::size_t>(block)]);
  return 2 + rows * options_.rank;
}

std::span<const double> CpModel::factor_of(std::span<const double> theta, std::size_t mode) const {
  return theta.subspan(static_cast<std::size_t>(offsets_[mode]),
                       static_cast<std::size_t>(offsets_[mode + 1] - offsets_[mode]));
}

void CpModel::load_factors(std::span<const double> theta) {
  const auto rank = static_cast<std::size_t>(options_.rank);
  for (std::size_t mode = 0; mode < factors_.size(); ++mode) {
    FactorMatrix& factor = factors_[mode];
    const double* from = factor_of(theta, mode).data();
    if (factor.stride() == factor.columns()) {
      std::copy_n(from, factor.storage().size(), factor.data());
      continue;
    }
    for (Index i = 0; i < factor.rows(); ++i, from += rank) std::copy_n(from, rank, factor.row(i));
  }
}

void CpModel::compute_pieces(std::span<const double> theta, bool gradient, std::span<double> pieces) {
  load_factors(theta);
  const Index modes = gradient ? std::ssize(factors_) : 1;
  // The modes of a block are dealt to the threads one by one; each writes to a place of its own.
  const struct {
    Index modes;
    bool gradient;
    double* pieces;
  } work{modes, gradient, pieces.data()};
  for_each_piece((end_block() - first_block()) * modes, 1, options_.threads, [this, &work](const Piece& task) {
    CellSums& sums = sums_[static_cast<std::size_t>(task.worker)];
    const Index here = task.begin / work.modes;
    if (work.gradient)
      differentiate(first_block() + here, static_cast<int>(task.begin % work.modes), sums,
                    work.pieces + places_[static_cast<std::size_t>(here)]);
    else
      evaluate(first_block() + here, sums, work.pieces + 2 * here);
  });
}

void CpModel::evaluate(Index block, CellSums& sums, double* piece) const {
  const Functions functions = functions_of(options_.likelihood, data_->observed_only);
  piece[0] = sums.value(data_->cells.tree(value_mode_, block), factors_, functions.stored);
  piece[1] = sums.value(data_->held.tree(value_mode_, block), factors_, functions.held);
}

void CpModel::differentiate(Index block, int mode, CellSums& sums, double* piece) const {
  const Functions functions = functions_of(options_.likelihood, data_->observed_only);
  const auto numbers_of = [&](const CellBlocks& cells, int of) {
    return cells.rows[static_cast<std::size_t>(of)][static_cast<std::size_t>(block)].size() *
           static_cast<std::size_t>(options_.rank);
  };
  double* rows = piece + 2;
  for (int before = 0; before < mode; ++before)
    rows += numbers_of(data_->cells, before) + numbers_of(data_->held, before);
  const std::size_t stored = numbers_of(data_->cells, mode), held = numbers_of(data_->held, mode);
  const double values[2] = {
      sums.with_gradient(data_->cells.tree(mode, block), factors_, functions.stored, std::span(rows, stored)),
      sums.with_gradient(data_->held.tree(mode, block), factors_, functions.held, std::span(rows + stored, held))};
  if (mode == value_mode_) std::copy_n(values, 2, piece);
}

double CpModel::combine(std::span<const double> theta, std::span<const std::span<const double>> pieces,
                        std::span<double> gradient) {
  TEMPERA_EXPECTS(std::ssize(pieces) == blocks());
  double parts[2];  // stored cells, those kept apart
  for (std::size_t part = 0; part < 2; ++part) {
    block_values_.clear();
    for (const auto piece : pieces) block_values_.push_back(piece[part]);
    parts[part] = tree_sum(block_values_);
  }
  double absent = 0;  // what the sums over all cells are, where they count
  if (data_->observed_only)
    std::fill(gradient.begin(), gradient.end(), 0.0);
  else
    absent = gaussian() ? sum_of_squares(theta, gradient) : sum_of_models(theta, gradient);
  if (!gradient.empty()) add_rows(pieces, gradient);
  const double likelihood = gaussian() ? gaussian_likelihood(parts[0], parts[1], absent, theta, gradient)
                                       : parts[0] + parts[1] - absent - data_->log_factorials;
  if (std::isfinite(likelihood)) return likelihood;
  std::fill(gradient.begin(), gradient.end(), 0.0);
  return kNothing;
}

/// Rows that a cut went through are added in the order of the blocks.
void CpModel::add_rows(std::span<const std::span<const double>> pieces, std::span<double> gradient) const {
  const auto rank = static_cast<std::size_t>(options_.rank);
  for (std::size_t block = 0; block < pieces.size(); ++block) {
    const double* from = pieces[block].data() + 2;
    for (std::size_t mode = 0; mode < factors_.size(); ++mode)
      for (const CellBlocks* cells : {&data_->cells, &data_->held})
        for (const std::uint32_t row : cells->rows[mode][block]) {
          double* to = gradient.data() + offsets_[mode] + static_cast<Index>(row) * options_.rank;
          for (std::size_t r = 0; r < rank; ++r) to[r] += from[r];
          from += rank;
        }
  }
}

/// Σ m² over all cells; the gradient becomes that of −½ Σ m².
double CpModel::sum_of_squares(std::span<const double> theta, std::span<double> gradient) {
  const std::size_t modes = factors_.size();
  for (std::size_t mode = 0; mode < modes; ++mode) set_gram(factor_of(theta, mode), grams_[mode]);
  GramMatrix& product = grams_[modes];
  const auto multiply_all_but = [&](std::size_t skip) {
    std::fill(product.values.begin(), product.values.end(), 1.0);
    for (std::size_t mode = 0; mode < modes; ++mode)
      for (std::size_t k = 0; mode != skip && k < product.values.size(); ++k)
        product.values[k] *= grams_[mode].values[k];
  };
  for (std::size_t mode = 0; !gradient.empty() && mode < modes; ++mode) {
    multiply_all_but(mode);
    set_product(factor_of(theta, mode), product, gradient.data() + offsets_[mode]);
  }
  multiply_all_but(modes);
  return std::accumulate(product.values.begin(), product.values.end(), 0.0);
}

/// Σ m over all cells; the gradient becomes that of −Σ m.
double CpModel::sum_of_models(std::span<const double> theta, std::span<double> gradient) {
  const auto rank = static_cast<std::size_t>(options_.rank), modes = factors_.size();
  std::fill(column_sums_.begin(), column_sums_.end(), 0.0);
  for (std::size_t mode = 0; mode < modes; ++mode) {
    double* sums = column_sums_.data() + mode * rank;
    const auto factor = factor_of(theta, mode);
    for (std::size_t first = 0; first < factor.size(); first += rank)
      for (std::size_t r = 0; r < rank; ++r) sums[r] += factor[first + r];
  }
  double* product = column_sums_.data() + modes * rank;
  const auto multiply_all_but = [&](std::size_t skip) {
    std::fill_n(product, rank, 1.0);
    for (std::size_t mode = 0; mode < modes; ++mode)
      for (std::size_t r = 0; mode != skip && r < rank; ++r) product[r] *= column_sums_[mode * rank + r];
  };
  for (std::size_t mode = 0; !gradient.empty() && mode < modes; ++mode) {
    multiply_all_but(mode);
    const double* const end = gradient.data() + offsets_[mode + 1];
    for (double* to = gradient.data() + offsets_[mode]; to != end; to += rank)
      for (std::size_t r = 0; r < rank; ++r) to[r] = -product[r];
  }
  multiply_all_but(modes);
  return std::accumulate(product, product + rank, 0.0);
}

/// @param squares   Σ m² over all cells, if these count
/// @param gradient  of −½ Σ (x − m)², then of the whole; but by noise_sd
double CpModel::gaussian_likelihood(double stored, double held, double squares, std::span<const double> theta,
                                    std::span<double> gradient) const {
  const double sd = noise_is_parameter() ? theta.back() : *options_.noise_sd;
  double residual_squared = -2 * stored;
  if (!data_->observed_only) residual_squared = data_->squares - 2 * stored + (squares - 2 * held);
  if (residual_squared < 0) residual_squared = 0;  // rounding
  const double precision = 1 / (sd * sd);
  for (double& slope : gradient) slope *= precision;
  if (!gradient.empty() && noise_is_parameter())
    gradient.back() = (residual_squared * precision - data_->observed) / sd;
  return -data_->observed * (std::log(sd) + 0.5 * detail::kLogTwoPi) - 0.5 * precision * residual_squared;
}

}  // namespace tempera
