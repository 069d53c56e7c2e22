#include "core/bayesopt/acquisition.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {

/// The logarithm of a probability not to fail, ½, below which a trial is tried reluctantly: what it lacks counts so many times.
/// On edges of crashing regions (crash_bench) both the crashes and the regret fall from 1 over 10 to 40.
constexpr double kDoubtful = -0.6931471805599453, kReluctance = 40;

constexpr std::size_t at(Index i) {
  return static_cast<std::size_t>(i);
}

/// Exactly the value if all are equal: a sum divided by their number is not.
double running_mean(std::span<const double> values) {
  double mean = 0;
  for (std::size_t k = 0; k < values.size(); ++k) mean += (values[k] - mean) / static_cast<double>(k + 1);
  return mean;
}

double average(std::span<const double> values, bool logarithmic) {
  return logarithmic ? log_mean_exp(values) : running_mean(values);
}

}  // namespace

void Acquisition::values_with_gradients(const Eigen::MatrixXd& points, std::span<double> values,
                                        Eigen::MatrixXd& gradients) const {
  gradients.resize(points.rows(), points.cols());
  for (Index i = 0; i < points.cols(); ++i)
    values[at(i)] =
        value_with_gradient({points.col(i).data(), at(points.rows())}, {gradients.col(i).data(), at(points.rows())});
}

AcquisitionRule AcquisitionRule::parse(std::string_view text) {
  if (text == "log-ei") return {AcquisitionKind::log_ei};
  if (text == "ei") return {AcquisitionKind::ei};
  if (text == "pi") return {AcquisitionKind::pi};
  if (text == "thompson") return {AcquisitionKind::thompson};
  AcquisitionRule rule{AcquisitionKind::ucb};
  if (text == "ucb") return rule;
  if (text.starts_with("ucb:")) {
    const char* const end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data() + 4, end, rule.beta);
    if (failure == std::errc{} && stop == end && std::isfinite(rule.beta) && rule.beta >= 0) return rule;
    throw Error(Category::usage, "", fmt::format("the number of standard deviations in '{}' is not a number ≥ 0", text),
                "for example ucb:2");
  }
  throw Error(Category::usage, "", fmt::format("no acquisition is named '{}'", text),
              "there are log-ei, ei, pi, ucb:BETA and thompson");
}

std::string AcquisitionRule::text() const {
  switch (kind) {
    case AcquisitionKind::log_ei: return "log-ei";
    case AcquisitionKind::ei: return "ei";
    case AcquisitionKind::pi: return "pi";
    case AcquisitionKind::ucb: return fmt::format("ucb:{}", beta);
    case AcquisitionKind::thompson: return "thompson";
  }
  return {};
}

ModelAcquisition::ModelAcquisition(AcquisitionRule rule, const Surrogate& objective, RandomStream stream)
    : features_(objective.features()) {
  const Surrogate* const model = &objective;
  switch (rule.kind) {
    case AcquisitionKind::log_ei:
      terms_.push_back({model,
                        [model](double mean, double sd, Index draw) {
                          return log_expected_improvement(mean, sd, model->best(draw));
                        },
                        true, 1});
      break;
    case AcquisitionKind::ei:
      product_ = true;
      terms_.push_back(
          {model,
           [model](double mean, double sd, Index draw) { return expected_improvement(mean, sd, model->best(draw)); },
           false, 1});
      break;
    case AcquisitionKind::pi:
      terms_.push_back(
          {model,
           [model](double mean, double sd, Index draw) { return log_probability_below(mean, sd, model->best(draw)); },
           true, 1});
      break;
    case AcquisitionKind::ucb:
      terms_.push_back({model,
                        [beta = rule.beta](double mean, double sd, Index) { return confidence_bound(mean, sd, beta); },
                        false, 1});
      break;
    case AcquisitionKind::thompson: {
      const Index draw = stream.uniform_index(objective.draws());
      path_ = objective.sample_path(draw, stream);
      if (!path_) throw Error(Category::usage, "", "the model cannot draw functions, which 'thompson' needs");
      break;
    }
  }
}

void ModelAcquisition::require_below(const Surrogate& model, double limit, double noise_sd) {
  TEMPERA_EXPECTS(model.features() == features_ && noise_sd >= 0);
  terms_.push_back({&model,
                    [limit, noise_sd](double mean, double sd, Index) {
                      const double total = std::hypot(sd, noise_sd);
                      MomentValue value = log_probability_below(mean, total, limit);
                      value.by_sd *= sd / total;
                      return value;
                    },
                    true, 1});
}

void ModelAcquisition::avoid_failing(const Surrogate& model) {
  TEMPERA_EXPECTS(model.features() == features_);
  terms_.push_back({&model,
                    [](double mean, double sd, Index) {
                      const double total = std::hypot(sd, 1.0);
                      MomentValue value = log_probability_below(mean, total, 0);
                      value.by_sd *= sd / total;
                      if (value.value > kDoubtful) return value;
                      return MomentValue{kDoubtful + kReluctance * (value.value - kDoubtful),
                                         kReluctance * value.by_mean, kReluctance * value.by_sd};
                    },
                    true, 1});
}

void ModelAcquisition::divide_by_cost(const Surrogate& log_cost, double scale, double weight) {
  TEMPERA_EXPECTS(log_cost.features() == features_);
  terms_.push_back({&log_cost,
                    [scale](double mean, double sd, Index) {
                      return MomentValue{scale * mean + 0.5 * scale * scale * sd * sd, scale, scale * scale * sd};
                    },
                    true, -weight});
}

void ModelAcquisition::add_values(const Term& term, const Eigen::MatrixXd& points, std::span<double> values) {
  Eigen::MatrixXd mean, sd;
  term.model->predict(points, mean, sd);
  std::vector<double> of_draws(at(mean.cols()));
  for (Index i = 0; i < points.cols(); ++i) {
    for (Index s = 0; s < mean.cols(); ++s) of_draws[at(s)] = term.at(mean(i, s), sd(i, s), s).value;
    values[at(i)] += term.factor * average(of_draws, term.logarithmic);
  }
}

void ModelAcquisition::values(const Eigen::MatrixXd& points, std::span<double> values) const {
  TEMPERA_EXPECTS(points.rows() == features_ && points.cols() == std::ssize(values));
  std::fill(values.begin(), values.end(), 0.0);
  for (std::size_t k = product_ ? 1 : 0; k < terms_.size(); ++k) add_values(terms_[k], points, values);
  if (path_) {
    Eigen::VectorXd drawn;
    path_->values(points, drawn);
    for (Index i = 0; i < points.cols(); ++i) values[at(i)] -= drawn[i];
  }
  if (!product_) return;
  std::vector<double> first(values.size(), 0.0);
  add_values(terms_[0], points, first);
  for (std::size_t i = 0; i < first.size(); ++i)
    values[i] = terms_.size() == 1 ? first[i] : first[i] * std::exp(values[i]);
}

void ModelAcquisition::add_gradients(const Term& term, const Eigen::MatrixXd& points, Eigen::VectorXd& values,
                                     Eigen::MatrixXd& gradients) {
  GradientPredictions predictions;
  term.model->predict_with_gradients(points, predictions);
  const Index draws = predictions.mean.rows();
  std::vector<MomentValue> moments(at(draws));
  std::vector<double> of_draws(at(draws)), shares(at(draws), 1.0);
  Eigen::VectorXd averaged(points.rows());
  for (Index i = 0; i < points.cols(); ++i) {
    for (Index s = 0; s < draws; ++s) {
      moments[at(s)] = term.at(predictions.mean(s, i), predictions.sd(s, i), s);
      of_draws[at(s)] = moments[at(s)].value;
    }
    values[i] += term.factor * (term.logarithmic ? log_mean_exp(of_draws, shares) : running_mean(of_draws));
    if (!term.logarithmic) std::fill(shares.begin(), shares.end(), 1.0);
    averaged.setZero();
    double total = 0;
    for (Index s = 0; s < draws; ++s) {  // a weighted running mean
      const double share = shares[at(s)];
      if (share == 0) continue;
      total += share;
      averaged += share / total *
                  (moments[at(s)].by_mean * predictions.mean_gradient[at(i)].col(s) +
                   moments[at(s)].by_sd * predictions.sd_gradient[at(i)].col(s) - averaged);
    }
    gradients.col(i) += term.factor * averaged;
  }
}

double ModelAcquisition::value_with_gradient(std::span<const double> point, std::span<double> gradient) const {
  TEMPERA_EXPECTS(std::ssize(point) == features_ && std::ssize(gradient) == features_);
  double value = 0;
  Eigen::MatrixXd slope;
  values_with_gradients(Eigen::Map<const Eigen::VectorXd>(point.data(), features_), {&value, 1}, slope);
  Eigen::Map<Eigen::VectorXd>(gradient.data(), features_) = slope.col(0);
  return value;
}

void ModelAcquisition::values_with_gradients(const Eigen::MatrixXd& points, std::span<double> values,
                                             Eigen::MatrixXd& gradients) const {
  const Index count = points.cols();
  TEMPERA_EXPECTS(points.rows() == features_ && count == std::ssize(values));
  Eigen::VectorXd sums = Eigen::VectorXd::Zero(count);
  gradients = Eigen::MatrixXd::Zero(features_, count);
  for (std::size_t k = product_ ? 1 : 0; k < terms_.size(); ++k) add_gradients(terms_[k], points, sums, gradients);
  if (path_) {
    std::vector<double> slope(at(features_));
    for (Index i = 0; i < count; ++i) {
      sums[i] -= path_->value_with_gradient({points.col(i).data(), at(features_)}, slope);
      gradients.col(i) -= Eigen::Map<const Eigen::VectorXd>(slope.data(), features_);
    }
  }
  if (product_) {
    Eigen::VectorXd first = Eigen::VectorXd::Zero(count);
    Eigen::MatrixXd first_gradients = Eigen::MatrixXd::Zero(features_, count);
    add_gradients(terms_[0], points, first, first_gradients);
    for (Index i = 0; i < count; ++i) {
      const double factor = terms_.size() == 1 ? 1 : std::exp(sums[i]);
      gradients.col(i) = factor * (first_gradients.col(i) + first[i] * gradients.col(i));
      sums[i] = factor * first[i];
    }
  }
  Eigen::Map<Eigen::VectorXd>(values.data(), count) = sums;
}

}  // namespace tempera
