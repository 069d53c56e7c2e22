#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "core/base/contract.hpp"
#include "core/gaussian_process/kernel.hpp"

namespace tempera {

namespace {

constexpr Eigen::Index kTile = 64;

class ScaledKernel final : public Kernel {
 public:
  explicit ScaledKernel(KernelPointer kernel) : kernel_(std::move(kernel)) {}

  Index features() const override { return kernel_->features(); }
  std::vector<KernelParameter> parameters() const override {
    auto parameters = kernel_->parameters();
    parameters.insert(parameters.begin(), {KernelParameter::Kind::amplitude, "amplitude"});
    return parameters;
  }
  double variance(const Parameters& theta) const override { return square(theta) * kernel_->variance(rest(theta)); }

  void evaluate(const Parameters& theta, const Points& a, const Points& b,
                Eigen::Ref<Eigen::MatrixXd> result) const override {
    kernel_->evaluate(rest(theta), a, b, result);
    result *= square(theta);
  }
  void add_gradient(const Parameters& theta, const Points& a, const Points& b, const Points& weights,
                    Eigen::Ref<Eigen::VectorXd> gradient) const override {
    Eigen::MatrixXd values(a.rows(), b.rows());
    kernel_->evaluate(rest(theta), a, b, values);
    gradient[0] += 2 * square(theta) * values.cwiseProduct(weights).sum();
    values = square(theta) * weights;
    kernel_->add_gradient(rest(theta), a, b, values, gradient.tail(gradient.size() - 1));
  }
  void add_input_gradient(const Parameters& theta, const Points& x, const Points& b, const Points& weights,
                          Eigen::Ref<Eigen::MatrixXd> result) const override {
    kernel_->add_input_gradient(rest(theta), x, b, square(theta) * weights, result);
  }
  Eigen::MatrixXd frequencies(const Parameters& theta, Index count, RandomStream& stream) const override {
    return kernel_->frequencies(rest(theta), count, stream);
  }

 private:
  static double square(const Parameters& theta) { return std::exp(2 * theta[0]); }
  static Eigen::VectorXd rest(const Parameters& theta) { return theta.tail(theta.size() - 1); }

  KernelPointer kernel_;
};

/// Parts with their places in θ.
class CompositeKernel : public Kernel {
 public:
  explicit CompositeKernel(std::vector<KernelPointer> parts) : parts_(std::move(parts)) {
    TEMPERA_EXPECTS(parts_.size() >= 2);
    offsets_.push_back(0);
    for (const KernelPointer& part : parts_) {
      TEMPERA_EXPECTS(part->features() == parts_.front()->features());
      offsets_.push_back(offsets_.back() + std::ssize(part->parameters()));
    }
  }
  Index features() const override { return parts_.front()->features(); }
  std::vector<KernelParameter> parameters() const override {
    std::vector<KernelParameter> all;
    for (const KernelPointer& part : parts_) {
      auto parameters = part->parameters();
      std::move(parameters.begin(), parameters.end(), std::back_inserter(all));
    }
    return all;
  }

 protected:
  std::size_t count() const { return parts_.size(); }
  const Kernel& part(std::size_t k) const { return *parts_[k]; }
  template <class Vector>
  auto slice(Vector&& theta, std::size_t k) const {
    return theta.segment(offsets_[k], offsets_[k + 1] - offsets_[k]);
  }
  Eigen::MatrixXd values_of(std::size_t k, const Parameters& theta, const Points& a, const Points& b) const {
    Eigen::MatrixXd values(a.rows(), b.rows());
    part(k).evaluate(slice(theta, k), a, b, values);
    return values;
  }

 private:
  std::vector<KernelPointer> parts_;
  std::vector<Eigen::Index> offsets_;
};

class SumKernel final : public CompositeKernel {
 public:
  using CompositeKernel::CompositeKernel;

  double variance(const Parameters& theta) const override {
    double sum = 0;
    for (std::size_t k = 0; k < count(); ++k) sum += part(k).variance(slice(theta, k));
    return sum;
  }
  void evaluate(const Parameters& theta, const Points& a, const Points& b,
                Eigen::Ref<Eigen::MatrixXd> result) const override {
    part(0).evaluate(slice(theta, 0), a, b, result);
    for (std::size_t k = 1; k < count(); ++k) result += values_of(k, theta, a, b);
  }
  void add_gradient(const Parameters& theta, const Points& a, const Points& b, const Points& weights,
                    Eigen::Ref<Eigen::VectorXd> gradient) const override {
    for (std::size_t k = 0; k < count(); ++k) part(k).add_gradient(slice(theta, k), a, b, weights, slice(gradient, k));
  }
  void add_input_gradient(const Parameters& theta, const Points& x, const Points& b, const Points& weights,
                          Eigen::Ref<Eigen::MatrixXd> result) const override {
    for (std::size_t k = 0; k < count(); ++k) part(k).add_input_gradient(slice(theta, k), x, b, weights, result);
  }
  /// Each from one of the parts, chosen by their variances.
  Eigen::MatrixXd frequencies(const Parameters& theta, Index count, RandomStream& stream) const override {
    std::vector<double> variances;
    for (std::size_t k = 0; k < this->count(); ++k) variances.push_back(part(k).variance(slice(theta, k)));
    Eigen::MatrixXd result(features(), count);
    for (Eigen::Index j = 0; j < count; ++j) {
      const auto k = static_cast<std::size_t>(stream.categorical(variances));
      const Eigen::MatrixXd one = part(k).frequencies(slice(theta, k), 1, stream);
      if (one.size() == 0) return {};
      result.col(j) = one;
    }
    return result;
  }
};

class ProductKernel final : public CompositeKernel {
 public:
  using CompositeKernel::CompositeKernel;

  double variance(const Parameters& theta) const override {
    double product = 1;
    for (std::size_t k = 0; k < count(); ++k) product *= part(k).variance(slice(theta, k));
    return product;
  }
  void evaluate(const Parameters& theta, const Points& a, const Points& b,
                Eigen::Ref<Eigen::MatrixXd> result) const override {
    part(0).evaluate(slice(theta, 0), a, b, result);
    for (std::size_t k = 1; k < count(); ++k) result.array() *= values_of(k, theta, a, b).array();
  }
  void add_gradient(const Parameters& theta, const Points& a, const Points& b, const Points& weights,
                    Eigen::Ref<Eigen::VectorXd> gradient) const override {
    for (std::size_t k = 0; k < count(); ++k)
      part(k).add_gradient(slice(theta, k), a, b, weights.cwiseProduct(others(k, theta, a, b)), slice(gradient, k));
  }
  void add_input_gradient(const Parameters& theta, const Points& x, const Points& b, const Points& weights,
                          Eigen::Ref<Eigen::MatrixXd> result) const override {
    for (std::size_t k = 0; k < count(); ++k) {
      const Eigen::VectorXd factor = others(k, theta, b, x).col(0);
      part(k).add_input_gradient(slice(theta, k), x, b, factor.asDiagonal() * weights, result);
    }
  }

  /// The spectrum of a product is the convolution of the parts'.
  Eigen::MatrixXd frequencies(const Parameters& theta, Index count, RandomStream& stream) const override {
    Eigen::MatrixXd sum = part(0).frequencies(slice(theta, 0), count, stream);
    for (std::size_t k = 1; k < this->count() && sum.size() > 0; ++k) {
      const Eigen::MatrixXd more = part(k).frequencies(slice(theta, k), count, stream);
      if (more.size() == 0) return {};
      sum += more;
    }
    return sum;
  }

 private:
  /// The product of all parts but one.
  Eigen::MatrixXd others(std::size_t left_out, const Parameters& theta, const Points& a, const Points& b) const {
    Eigen::MatrixXd product = Eigen::MatrixXd::Ones(a.rows(), b.rows());
    for (std::size_t k = 0; k < count(); ++k)
      if (k != left_out) product.array() *= values_of(k, theta, a, b).array();
    return product;
  }
};

}  // namespace

KernelPointer scaled(KernelPointer kernel) {
  return std::make_shared<ScaledKernel>(std::move(kernel));
}

KernelPointer sum_of(std::vector<KernelPointer> parts) {
  return std::make_shared<SumKernel>(std::move(parts));
}

KernelPointer product_of(std::vector<KernelPointer> parts) {
  return std::make_shared<ProductKernel>(std::move(parts));
}

void covariance(const Kernel& kernel, const Kernel::Parameters& theta, const Kernel::Points& points,
                Eigen::Ref<Eigen::MatrixXd> result) {
  for (Eigen::Index begin = 0; begin < points.rows(); begin += kTile) {
    const Eigen::Index width = std::min(kTile, points.rows() - begin), height = points.rows() - begin;
    kernel.evaluate(theta, points.bottomRows(height), points.middleRows(begin, width),
                    result.block(begin, begin, height, width));
  }
}

void add_covariance_gradient(const Kernel& kernel, const Kernel::Parameters& theta, const Kernel::Points& points,
                             const Eigen::Ref<const Eigen::MatrixXd>& weights, Eigen::Ref<Eigen::VectorXd> gradient) {
  Eigen::MatrixXd panel;
  for (Eigen::Index begin = 0; begin < points.rows(); begin += kTile) {
    const Eigen::Index width = std::min(kTile, points.rows() - begin), height = points.rows() - begin;
    panel = 2 * weights.block(begin, begin, height, width);  // stands for the entry above the diagonal too
    for (Eigen::Index j = 0; j < width; ++j) {
      panel(j, j) /= 2;
      panel.col(j).head(j).setZero();
    }
    kernel.add_gradient(theta, points.bottomRows(height), points.middleRows(begin, width), panel, gradient);
  }
}

}  // namespace tempera
