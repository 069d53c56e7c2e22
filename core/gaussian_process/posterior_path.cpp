#include "core/gaussian_process/posterior_path.hpp"

#include <cmath>
#include <numbers>
#include <utility>

namespace tempera {

std::optional<PosteriorPath> PosteriorPath::draw(const GaussianProcess& process, RandomStream stream, Index features) {
  PosteriorPath path;
  path.model_ = process.model();
  path.points_ = process.points();
  path.frequencies_ = path.model_.kernel->frequencies(path.model_.theta, features, stream);
  if (path.frequencies_.size() == 0) return std::nullopt;
  const double scale = std::sqrt(2 * path.model_.kernel->variance(path.model_.theta) / static_cast<double>(features));
  path.phases_ = Eigen::VectorXd::NullaryExpr(features, [&] { return 2 * std::numbers::pi * stream.uniform(); });
  path.amplitudes_ = Eigen::VectorXd::NullaryExpr(features, [&] { return scale * stream.normal(); });
  path.constant_ = std::sqrt(path.model_.constant) * stream.normal();
  const double sd = std::sqrt(path.model_.noise + process.jitter());
  const Eigen::VectorXd noise = Eigen::VectorXd::NullaryExpr(process.size(), [&] { return sd * stream.normal(); });
  path.weights_ = process.solve(process.values() - path.prior(path.points_) - noise);
  return path;
}

Eigen::VectorXd PosteriorPath::prior(const Kernel::Points& points) const {
  const Eigen::MatrixXd angles = (points * frequencies_).rowwise() + phases_.transpose();
  return (angles.array().cos().matrix() * amplitudes_).array() + constant_;
}

Eigen::VectorXd PosteriorPath::values(const Kernel::Points& points) const {
  Eigen::MatrixXd side(points_.rows(), points.rows());
  model_.kernel->evaluate(model_.theta, points_, points, side);
  return prior(points) + side.transpose() * weights_ +
         Eigen::VectorXd::Constant(points.rows(), model_.constant * weights_.sum());
}

double PosteriorPath::value_with_gradient(const Kernel::Points& point, Eigen::Ref<Eigen::VectorXd> gradient) const {
  const Eigen::VectorXd angles = frequencies_.transpose() * point.row(0).transpose() + phases_;
  Eigen::MatrixXd slopes = frequencies_ * (-angles.array().sin() * amplitudes_.array()).matrix();
  model_.kernel->add_input_gradient(model_.theta, point, points_, weights_, slopes);
  gradient = slopes.col(0);
  return values(point)[0];
}

}  // namespace tempera
