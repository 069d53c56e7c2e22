#include <utility>

#include "core/bayesopt/transfer.hpp"

namespace tempera {

namespace {

/// One point, widened.
struct WidePoint {
  WidePoint(std::span<const double> point, const Transfer& transfer) {
    std::vector<Eigen::MatrixXd> all;
    row = transfer.widened(Eigen::Map<const Eigen::RowVectorXd>(point.data(), std::ssize(point)), all);
    slopes = std::move(all.front());
  }
  std::span<const double> span() const { return {row.data(), static_cast<std::size_t>(row.size())}; }

  Eigen::MatrixXd row, slopes;
};

/// Derivatives by the point of ones by its widened features.
Eigen::MatrixXd chained(const Eigen::MatrixXd& wide, const Eigen::MatrixXd& slopes) {
  return wide.topRows(slopes.rows()) + slopes * wide.bottomRows(slopes.cols());
}

class TransferCovariance final : public CrossCovariance {
 public:
  TransferCovariance(std::unique_ptr<CrossCovariance> base, const Transfer& transfer)
      : base_(std::move(base)), transfer_(transfer) {}
  void values(const Eigen::MatrixXd& points, Index draw, Eigen::MatrixXd& covariance) const override {
    base_->values(transfer_.widened(points.transpose()).transpose(), draw, covariance);
  }
  void with_gradient(std::span<const double> point, Index draw, Eigen::VectorXd& covariance,
                     Eigen::MatrixXd& gradient) const override {
    const WidePoint at(point, transfer_);
    Eigen::MatrixXd wide;
    base_->with_gradient(at.span(), draw, covariance, wide);
    gradient = chained(wide, at.slopes);
  }

 private:
  std::unique_ptr<CrossCovariance> base_;
  const Transfer& transfer_;
};

class TransferPath final : public SamplePath {
 public:
  TransferPath(std::unique_ptr<SamplePath> base, const Transfer& transfer)
      : base_(std::move(base)), transfer_(transfer) {}
  void values(const Eigen::MatrixXd& points, Eigen::VectorXd& values) const override {
    base_->values(transfer_.widened(points.transpose()).transpose(), values);
  }
  double value_with_gradient(std::span<const double> point, std::span<double> gradient) const override {
    const WidePoint at(point, transfer_);
    Eigen::VectorXd wide(at.row.size());
    const double value = base_->value_with_gradient(at.span(), {wide.data(), static_cast<std::size_t>(wide.size())});
    Eigen::Map<Eigen::VectorXd>(gradient.data(), std::ssize(gradient)) = chained(wide, at.slopes);
    return value;
  }

 private:
  std::unique_ptr<SamplePath> base_;
  const Transfer& transfer_;
};

}  // namespace

void TransferSurrogate::predict(const Eigen::MatrixXd& points, Eigen::MatrixXd& mean, Eigen::MatrixXd& sd) const {
  base_.predict(transfer_.widened(points.transpose()).transpose(), mean, sd);
}

void TransferSurrogate::predict_with_gradient(std::span<const double> point, Eigen::VectorXd& mean, Eigen::VectorXd& sd,
                                              Eigen::MatrixXd& mean_gradient, Eigen::MatrixXd& sd_gradient) const {
  const WidePoint at(point, transfer_);
  Eigen::MatrixXd wide_mean, wide_sd;
  base_.predict_with_gradient(at.span(), mean, sd, wide_mean, wide_sd);
  mean_gradient = chained(wide_mean, at.slopes);
  sd_gradient = chained(wide_sd, at.slopes);
}

void TransferSurrogate::predict_with_gradients(const Eigen::MatrixXd& points, GradientPredictions& predictions) const {
  std::vector<Eigen::MatrixXd> slopes;
  base_.predict_with_gradients(transfer_.widened(points.transpose(), slopes).transpose(), predictions);
  for (std::size_t i = 0; i < slopes.size(); ++i) {
    predictions.mean_gradient[i] = chained(predictions.mean_gradient[i], slopes[i]);
    predictions.sd_gradient[i] = chained(predictions.sd_gradient[i], slopes[i]);
  }
}

void TransferSurrogate::predict_jointly(const Eigen::MatrixXd& points, Index draw, Eigen::VectorXd& mean,
                                        Eigen::MatrixXd& covariance) const {
  base_.predict_jointly(transfer_.widened(points.transpose()).transpose(), draw, mean, covariance);
}

std::unique_ptr<CrossCovariance> TransferSurrogate::covariance_with(const Eigen::MatrixXd& fixed) const {
  return std::make_unique<TransferCovariance>(base_.covariance_with(transfer_.widened(fixed.transpose()).transpose()),
                                              transfer_);
}

std::unique_ptr<SamplePath> TransferSurrogate::sample_path(Index draw, RandomStream stream) const {
  auto path = base_.sample_path(draw, stream);
  return path ? std::make_unique<TransferPath>(std::move(path), transfer_) : nullptr;
}

}  // namespace tempera
