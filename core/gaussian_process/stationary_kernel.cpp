#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/gaussian_process/kernel.hpp"
#include "core/linalg/exponential.hpp"

namespace tempera {

namespace {

using Array = Eigen::ArrayXd;

constexpr std::array<std::pair<const char*, KernelShape>, 6> kShapes{
    {{"matern12", KernelShape::matern12},
     {"matern32", KernelShape::matern32},
     {"matern52", KernelShape::matern52},
     {"rbf", KernelShape::rbf},
     {"rational-quadratic", KernelShape::rational_quadratic},
     {"hamming", KernelShape::hamming}}};

/// Each x becomes e^x.
void exponentiate(Array& x) {
  exponentials({x.data(), static_cast<std::size_t>(x.size())});
}

/// Correlations ρ and slopes h = −2 dρ/d(r²) at squared distances r²: with them dρ/d log ℓ_g = h Σ_{f∈g} (Δ_f/ℓ_g)² and
/// dρ/dx_f = −h Δ_f/ℓ_g².
class Correlation {
 public:
  Correlation(KernelShape shape, double alpha) : shape_(shape), alpha_(alpha) {}

  /// @param squares   r², becomes ρ
  void values(Array& squares) {
    switch (shape_) {
      case KernelShape::matern12: squares = -squares.sqrt(); return exponentiate(squares);
      case KernelShape::matern32:
        scaled_ = std::sqrt(3.0) * squares.sqrt();
        squares = -scaled_;
        exponentiate(squares);
        squares *= 1 + scaled_;
        return;
      case KernelShape::matern52:
        scaled_ = std::sqrt(5.0) * squares.sqrt();
        squares = -scaled_;
        exponentiate(squares);
        squares *= 1 + scaled_ * (1 + scaled_ / 3);
        return;
      case KernelShape::rbf: squares *= -0.5; return exponentiate(squares);
      case KernelShape::hamming: squares = -squares; return exponentiate(squares);
      case KernelShape::rational_quadratic:
        squares = -alpha_ * (squares / (2 * alpha_)).log1p();
        return exponentiate(squares);
    }
  }

  /// @param squares  r², becomes h
  void slopes(Array& squares) {
    switch (shape_) {
      case KernelShape::matern12:  // at r = 0 it multiplies Δ = 0
        scaled_ = squares.sqrt();
        squares = -scaled_;
        exponentiate(squares);
        squares = (scaled_ > 0).select(squares / scaled_, 0.0);
        return;
      case KernelShape::matern32:
        squares = -std::sqrt(3.0) * squares.sqrt();
        exponentiate(squares);
        squares *= 3;
        return;
      case KernelShape::matern52:
        scaled_ = std::sqrt(5.0) * squares.sqrt();
        squares = -scaled_;
        exponentiate(squares);
        squares *= (5.0 / 3) * (1 + scaled_);
        return;
      case KernelShape::rbf: return values(squares);
      case KernelShape::hamming:
        values(squares);
        squares *= 2;
        return;
      case KernelShape::rational_quadratic:
        squares = -(alpha_ + 1) * (squares / (2 * alpha_)).log1p();
        return exponentiate(squares);
    }
  }

 private:
  KernelShape shape_;
  double alpha_;
  Array scaled_;
};

class StationaryKernel final : public Kernel {
 public:
  StationaryKernel(KernelShape shape, std::vector<Index> groups, std::vector<std::string> names)
      : shape_(shape), groups_(std::move(groups)), names_(std::move(names)) {
    for ([[maybe_unused]] const Index group : groups_) TEMPERA_EXPECTS(group < std::ssize(names_));
  }

  Index features() const override { return std::ssize(groups_); }

  std::vector<KernelParameter> parameters() const override {
    std::vector<KernelParameter> parameters;
    for (const std::string& name : names_) parameters.push_back({KernelParameter::Kind::length_scale, name});
    if (has_alpha()) parameters.push_back({KernelParameter::Kind::shape, "alpha"});
    return parameters;
  }

  double variance(const Parameters&) const override { return 1; }

  void evaluate(const Parameters& theta, const Points& a, const Points& b,
                Eigen::Ref<Eigen::MatrixXd> result) const override {
    const Array inverse = inverse_squares(theta);
    Correlation correlation = this->correlation(theta);
    Array column(a.rows());
    for (Eigen::Index j = 0; j < b.rows(); ++j) {
      squares(inverse, a, b.row(j), column);
      correlation.values(column);
      result.col(j) = column;
    }
  }

  void add_gradient(const Parameters& theta, const Points& a, const Points& b, const Points& weights,
                    Eigen::Ref<Eigen::VectorXd> gradient) const override {
    const Array inverse = inverse_squares(theta);
    Correlation correlation = this->correlation(theta);
    Array column(a.rows());
    for (Eigen::Index j = 0; j < b.rows(); ++j) {
      squares(inverse, a, b.row(j), column);
      if (has_alpha()) gradient[std::ssize(names_)] += alpha_gradient(theta, column, weights.col(j));
      correlation.slopes(column);
      column *= weights.col(j).array();
      for (Eigen::Index f = 0; f < features(); ++f)
        if (const Index group = groups_[static_cast<std::size_t>(f)]; group >= 0)
          gradient[group] += inverse[f] * (column * (a.col(f).array() - b(j, f)).square()).sum();
    }
  }

  void add_input_gradient(const Parameters& theta, const Points& x, const Points& b, const Points& weights,
                          Eigen::Ref<Eigen::MatrixXd> result) const override {
    const Array inverse = inverse_squares(theta);
    Array column(b.rows());
    squares(inverse, b, x.row(0), column);
    correlation(theta).slopes(column);
    for (Eigen::Index f = 0; f < features(); ++f)
      if (groups_[static_cast<std::size_t>(f)] >= 0)
        result.row(f) += inverse[f] * ((b.col(f).array() - x(0, f)) * column).matrix().transpose() * weights;
  }

  Eigen::MatrixXd frequencies(const Parameters& theta, Index count, RandomStream& stream) const override {
    const Array inverse = inverse_squares(theta).sqrt();
    Eigen::MatrixXd result(features(), count);
    for (Eigen::Index k = 0; k < count; ++k) {
      const double scale = spread(theta, stream);
      for (Eigen::Index f = 0; f < features(); ++f) result(f, k) = scale * inverse[f] * stream.normal();
    }
    return result;
  }

 private:
  /// All shapes are scale mixtures of the squared exponential; the standard deviation of its frequencies. Matérn's are those
  /// of a Student distribution of 2ν degrees of freedom (Rasmussen & Williams 2006, eq. 4.15).
  double spread(const Parameters& theta, RandomStream& stream) const {
    const auto student = [&](double degrees) { return std::sqrt(degrees / stream.gamma(degrees / 2, 2)); };
    switch (shape_) {
      case KernelShape::matern12: return student(1);
      case KernelShape::matern32: return student(3);
      case KernelShape::matern52: return student(5);
      case KernelShape::rbf: return 1;
      case KernelShape::hamming: return std::sqrt(2.0);
      case KernelShape::rational_quadratic: {
        const double alpha = std::exp(theta[std::ssize(names_)]);
        return std::sqrt(stream.gamma(alpha, 1 / alpha));
      }
    }
    return 1;
  }

  bool has_alpha() const { return shape_ == KernelShape::rational_quadratic; }
  Correlation correlation(const Parameters& theta) const {
    return {shape_, has_alpha() ? std::exp(theta[std::ssize(names_)]) : 1};
  }

  /// 1/ℓ² of each feature, 0 for one that is left out.
  Array inverse_squares(const Parameters& theta) const {
    Array inverse(features());
    for (Eigen::Index f = 0; f < features(); ++f) {
      const Index group = groups_[static_cast<std::size_t>(f)];
      inverse[f] = group < 0 ? 0 : std::exp(-2 * theta[group]);
    }
    return inverse;
  }

  template <class Row>
  static void squares(const Array& inverse, const Points& a, const Row& x, Array& result) {
    result.setZero();
    for (Eigen::Index f = 0; f < inverse.size(); ++f)
      if (inverse[f] > 0) result += inverse[f] * (a.col(f).array() - x[f]).square();
  }

  /// Σ w ∂ρ/∂ log α = Σ w ρ α (s/(1+s) − log(1+s)), s = r²/2α.
  template <class Weights>
  static double alpha_gradient(const Parameters& theta, const Array& squares, const Weights& weights) {
    const double alpha = std::exp(theta[theta.size() - 1]);
    const Array s = squares / (2 * alpha);
    const Array logarithm = s.log1p();
    return (weights.array() * (-alpha * logarithm).exp() * alpha * (s / (1 + s) - logarithm)).sum();
  }

  KernelShape shape_;
  std::vector<Index> groups_;
  std::vector<std::string> names_;
};

}  // namespace

KernelShape kernel_shape(const std::string& name) {
  std::string known;
  for (const auto& [text, shape] : kShapes) {
    if (name == text) return shape;
    known += known.empty() ? text : std::string(", ") + text;
  }
  throw Error(Category::usage, "", fmt::format("'{}' is no kernel", name), "the kernels are " + known);
}

std::string kernel_name(KernelShape shape) {
  for (const auto& [text, named] : kShapes)
    if (shape == named) return text;
  return {};
}

KernelPointer stationary_kernel(KernelShape shape, std::vector<Index> group_of_feature,
                                std::vector<std::string> names) {
  return std::make_shared<StationaryKernel>(shape, std::move(group_of_feature), std::move(names));
}

}  // namespace tempera
