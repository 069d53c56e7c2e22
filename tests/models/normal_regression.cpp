#include "tests/models/normal_regression.hpp"

#include <Eigen/Dense>
#include <limits>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera::test {

NormalRegression::NormalRegression(std::span<const double> x, std::span<const double> y, std::size_t predictors)
    : predictors_(predictors), observations_(static_cast<double>(y.size())), distance_(predictors) {
  TEMPERA_EXPECTS(x.size() == y.size() * predictors);
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto rows = static_cast<Eigen::Index>(y.size()), columns = static_cast<Eigen::Index>(predictors);
  const Eigen::Map<const Matrix> table(x.data(), rows, columns);
  const Eigen::Map<const Eigen::VectorXd> response(y.data(), rows);
  if (rows < columns || Eigen::ColPivHouseholderQR<Matrix>(table).rank() < columns)
    throw Error(Category::input, "", "the columns of the predictors depend on each other");
  const Eigen::HouseholderQR<Matrix> qr(table);
  const Eigen::VectorXd fit = qr.solve(response);
  fit_.assign(fit.data(), fit.data() + fit.size());
  residual_ = (response - table * fit).squaredNorm();
  for (Eigen::Index i = 0; i < columns; ++i)
    for (Eigen::Index j = i; j < columns; ++j) factor_.push_back(qr.matrixQR()(i, j));
}

double NormalRegression::log_likelihood(std::span<const double> theta, std::span<double> gradient) {
  const double sigma = theta[predictors_];
  if (!(sigma > 0)) return -std::numeric_limits<double>::infinity();
  const bool wanted = !gradient.empty();
  for (std::size_t j = 0; j < predictors_; ++j) distance_[j] = theta[j] - fit_[j];
  for (double& entry : gradient) entry = 0;
  double squares = residual_;
  const double* row = factor_.data();  // so that row[j] is R_ij
  for (std::size_t i = 0; i < predictors_; ++i) {
    double product = 0;
    for (std::size_t j = i; j < predictors_; ++j) product += row[j] * distance_[j];
    squares += product * product;
    if (wanted)
      for (std::size_t j = i; j < predictors_; ++j) gradient[j] -= row[j] * product;
    row += predictors_ - i - 1;
  }
  const double precision = 1 / (sigma * sigma);
  if (wanted) {
    for (std::size_t j = 0; j < predictors_; ++j) gradient[j] *= precision;
    gradient[predictors_] = (squares * precision - observations_) / sigma;
  }
  const double log_density =
      -0.5 * (observations_ * detail::kLogTwoPi + squares * precision) - observations_ * std::log(sigma);
  return std::isnan(log_density) ? -std::numeric_limits<double>::infinity() : log_density;
}

}  // namespace tempera::test
