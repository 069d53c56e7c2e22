#include "core/bayesopt/surrogate.hpp"

#include "core/base/contract.hpp"

namespace tempera {

namespace {

constexpr double kStep = 1e-5;  // of a central difference; features are of order one

class JointCovariance final : public CrossCovariance {
 public:
  JointCovariance(const Surrogate& model, const Eigen::MatrixXd& fixed) : model_(model), fixed_(fixed) {}

  void values(const Eigen::MatrixXd& points, Index draw, Eigen::MatrixXd& covariance) const override {
    Eigen::MatrixXd all(points.rows(), points.cols() + fixed_.cols()), joint;
    all << points, fixed_;
    Eigen::VectorXd mean;
    model_.predict_jointly(all, draw, mean, joint);
    covariance = joint.topRightCorner(points.cols(), fixed_.cols());
  }

  void with_gradient(std::span<const double> point, Index draw, Eigen::VectorXd& covariance,
                     Eigen::MatrixXd& gradient) const override {
    const Index d = std::ssize(point);
    const Eigen::Map<const Eigen::VectorXd> x(point.data(), d);
    Eigen::MatrixXd around = x.replicate(1, 2 * d + 1), all;
    for (Index j = 0; j < d; ++j) {
      around(j, 2 * j + 1) += kStep;
      around(j, 2 * j + 2) -= kStep;
    }
    values(around, draw, all);
    covariance = all.row(0).transpose();
    gradient.resize(d, fixed_.cols());
    for (Index j = 0; j < d; ++j) gradient.row(j) = (all.row(2 * j + 1) - all.row(2 * j + 2)) / (2 * kStep);
  }

 private:
  const Surrogate& model_;
  Eigen::MatrixXd fixed_;
};

}  // namespace

void Surrogate::predict_with_gradients(const Eigen::MatrixXd& points, GradientPredictions& predictions) const {
  const auto count = static_cast<std::size_t>(points.cols());
  predictions.mean.resize(draws(), points.cols());
  predictions.sd.resize(draws(), points.cols());
  predictions.mean_gradient.resize(count);
  predictions.sd_gradient.resize(count);
  Eigen::VectorXd mean, sd;
  for (Index i = 0; i < points.cols(); ++i) {
    const auto k = static_cast<std::size_t>(i);
    predict_with_gradient({points.col(i).data(), static_cast<std::size_t>(points.rows())}, mean, sd,
                          predictions.mean_gradient[k], predictions.sd_gradient[k]);
    predictions.mean.col(i) = mean;
    predictions.sd.col(i) = sd;
  }
}

std::unique_ptr<CrossCovariance> Surrogate::covariance_with(const Eigen::MatrixXd& fixed) const {
  TEMPERA_EXPECTS(fixed.rows() == features());
  return std::make_unique<JointCovariance>(*this, fixed);
}

}  // namespace tempera
