#pragma once

#include <Eigen/Cholesky>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "core/bayesopt/surrogate.hpp"

namespace tempera::test {

/// Mean and standard deviation as given functions of the point, one pair a draw; gradients by their own functions.
class FormulaSurrogate final : public Surrogate {
 public:
  using Function = std::function<double(const Eigen::VectorXd& x, Eigen::VectorXd& gradient)>;
  struct Draw {
    Function mean, sd;
    double best;
  };
  FormulaSurrogate(Index features, std::vector<Draw> draws) : features_(features), draws_(std::move(draws)) {}

  Index features() const override { return features_; }
  Index draws() const override { return std::ssize(draws_); }
  void predict(const Eigen::MatrixXd& points, Eigen::MatrixXd& mean, Eigen::MatrixXd& sd) const override {
    mean.resize(points.cols(), draws());
    sd.resize(points.cols(), draws());
    Eigen::VectorXd unused(features_);
    for (Index i = 0; i < points.cols(); ++i)
      for (Index s = 0; s < draws(); ++s) {
        mean(i, s) = draw(s).mean(points.col(i), unused);
        sd(i, s) = draw(s).sd(points.col(i), unused);
      }
    predictions_ += points.cols();
  }
  void predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                             Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const override {
    const Eigen::VectorXd x = Eigen::Map<const Eigen::VectorXd>(point.data(), features_);
    mean.resize(draws());
    sd.resize(draws());
    mean_gradient.resize(features_, draws());
    sd_gradient.resize(features_, draws());
    Eigen::VectorXd gradient(features_);
    for (Index s = 0; s < draws(); ++s) {
      mean[s] = draw(s).mean(x, gradient);
      mean_gradient.col(s) = gradient;
      sd[s] = draw(s).sd(x, gradient);
      sd_gradient.col(s) = gradient;
    }
    ++gradients_;
  }
  void predict_jointly(const Eigen::MatrixXd& points, Index s, Eigen::VectorXd& mean,
                       Eigen::MatrixXd& covariance) const override {
    Eigen::MatrixXd means, sds;
    predict(points, means, sds);
    mean = means.col(s);
    covariance = sds.col(s).array().square().matrix().asDiagonal();
  }
  double best(Index s) const override { return draw(s).best; }

  Index predictions() const { return predictions_; }
  Index gradients() const { return gradients_; }

 private:
  const Draw& draw(Index s) const { return draws_[static_cast<std::size_t>(s)]; }

  Index features_;
  std::vector<Draw> draws_;
  mutable Index predictions_ = 0, gradients_ = 0;
};

inline FormulaSurrogate::Function constant(double value) {
  return [value](const Eigen::VectorXd&, Eigen::VectorXd& gradient) {
    gradient.setZero();
    return value;
  };
}

/// curvature · |x − centre|² + offset.
inline FormulaSurrogate::Function bowl(Eigen::VectorXd centre, double curvature = 1, double offset = 0) {
  return [centre = std::move(centre), curvature, offset](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
    gradient = 2 * curvature * (x - centre);
    return curvature * (x - centre).squaredNorm() + offset;
  };
}

/// An exact Gaussian process of unit variance, Matérn 5/2, equal length scales, one draw.
class PlainGp final : public Surrogate {
 public:
  PlainGp(Eigen::MatrixXd points, const Eigen::VectorXd& targets, double length, double noise_variance = 1e-6)
      : points_(std::move(points)), length_(length) {
    Eigen::MatrixXd k = cross(points_);
    k.diagonal().array() += noise_variance;
    factor_.compute(k);
    weights_ = factor_.solve(targets);
    best_ = (cross(points_) * weights_).minCoeff();
  }

  Index features() const override { return points_.rows(); }
  Index draws() const override { return 1; }
  void predict(const Eigen::MatrixXd& points, Eigen::MatrixXd& mean, Eigen::MatrixXd& sd) const override {
    Eigen::MatrixXd k = cross(points);
    mean = k.transpose() * weights_;
    factor_.matrixL().solveInPlace(k);
    sd = (1 - k.colwise().squaredNorm().array()).max(1e-12).sqrt().transpose();
  }
  void predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                             Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const override {
    const Eigen::VectorXd x = Eigen::Map<const Eigen::VectorXd>(point.data(), features());
    const Eigen::VectorXd k = cross(x);
    const Eigen::VectorXd solved = factor_.solve(k);
    mean = Eigen::VectorXd::Constant(1, k.dot(weights_));
    sd = Eigen::VectorXd::Constant(1, std::sqrt(std::max(1 - k.dot(solved), 1e-12)));
    const Eigen::MatrixXd slope = cross_gradient(x);
    mean_gradient = slope * weights_;
    sd_gradient = -(slope * solved) / sd[0];
  }
  void predict_jointly(const Eigen::MatrixXd& points, Index, Eigen::VectorXd& mean,
                       Eigen::MatrixXd& covariance) const override {
    Eigen::MatrixXd k = cross(points);
    mean = k.transpose() * weights_;
    factor_.matrixL().solveInPlace(k);
    covariance = between(points, points) - k.transpose() * k;
  }
  double best(Index) const override { return best_; }

 private:
  static double kernel(double r) {
    const double a = std::sqrt(5.0) * r;
    return (1 + a + a * a / 3) * std::exp(-a);
  }
  Eigen::MatrixXd between(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) const {
    Eigen::MatrixXd k(a.cols(), b.cols());
    for (Index j = 0; j < b.cols(); ++j)
      for (Index i = 0; i < a.cols(); ++i) k(i, j) = kernel((a.col(i) - b.col(j)).norm() / length_);
    return k;
  }
  Eigen::MatrixXd cross(const Eigen::MatrixXd& points) const { return between(points_, points); }
  /// features × n: derivatives of the kernel with the data.
  Eigen::MatrixXd cross_gradient(const Eigen::VectorXd& x) const {
    Eigen::MatrixXd slope = (-points_).colwise() + x;
    for (Index i = 0; i < slope.cols(); ++i) {
      const double a = std::sqrt(5.0) * slope.col(i).norm() / length_;
      slope.col(i) *= -5.0 / 3 / (length_ * length_) * (1 + a) * std::exp(-a);
    }
    return slope;
  }

  Eigen::MatrixXd points_;
  double length_;
  Eigen::LLT<Eigen::MatrixXd> factor_;
  Eigen::VectorXd weights_;
  double best_ = 0;
};

}  // namespace tempera::test
