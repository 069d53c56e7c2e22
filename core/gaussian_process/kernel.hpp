#pragma once

#include <Eigen/Core>
#include <memory>
#include <string>
#include <vector>

#include "core/base/index.hpp"
#include "core/base/random_stream.hpp"

namespace tempera {

/// A hyperparameter of a kernel; always the natural logarithm of a positive number.
struct KernelParameter {
  enum class Kind { amplitude, length_scale, shape } kind;
  std::string name;
};

/// A covariance function k(x, x′; θ), positive definite. Has no state: the hyperparameters θ are handed in, parameters()
/// entries in their order. Points are rows of matrices with features() columns. Thread-safe.
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual Index features() const = 0;
  virtual std::vector<KernelParameter> parameters() const = 0;

  using Points = Eigen::Ref<const Eigen::MatrixXd>;
  using Parameters = Eigen::Ref<const Eigen::VectorXd>;

  /// result(i, j) = k(a_i, b_j), overwritten. An entry does not depend on which other points are in the block.
  /// Cost: features() multiply-adds and an exponential an entry.
  virtual void evaluate(const Parameters& theta, const Points& a, const Points& b,
                        Eigen::Ref<Eigen::MatrixXd> result) const = 0;
  /// k(x, x), the same for every x: kernels here are stationary.
  virtual double variance(const Parameters& theta) const = 0;
  /// gradient_t += Σ_ij weights_ij ∂k(a_i, b_j)/∂θ_t.
  virtual void add_gradient(const Parameters& theta, const Points& a, const Points& b, const Points& weights,
                            Eigen::Ref<Eigen::VectorXd> gradient) const = 0;
  /// result(f, q) += Σ_j weights(j, q) ∂k(x, b_j)/∂x_f, with x one row.
  virtual void add_input_gradient(const Parameters& theta, const Points& x, const Points& b, const Points& weights,
                                  Eigen::Ref<Eigen::MatrixXd> result) const = 0;

  /// Angular frequencies drawn from the spectral density, features() × count: the mean of cos(ωᵀ(x − x′)) over them is
  /// k(x, x′)/variance. Empty: not known for this kernel.
  virtual Eigen::MatrixXd frequencies(const Parameters& theta, Index count, RandomStream& stream) const {
    static_cast<void>(theta), static_cast<void>(count), static_cast<void>(stream);
    return {};
  }
};

using KernelPointer = std::shared_ptr<const Kernel>;

/// Correlations of a distance r: what the names mean is in stationary_kernel.cpp.
enum class KernelShape { matern12, matern32, matern52, rbf, rational_quadratic, hamming };
/// @throws Error{usage} naming the known ones
KernelShape kernel_shape(const std::string& name);
std::string kernel_name(KernelShape shape);

/// k = ρ(r), r² = Σ_f (x_f − x′_f)² / ℓ_g(f)² with a length scale a group of features (automatic relevance determination).
/// θ: log ℓ of the groups, then log α of the rational quadratic.
/// @param group_of_feature  from 0 without gaps; a negative one leaves the feature out
/// @param names             of the groups
KernelPointer stationary_kernel(KernelShape shape, std::vector<Index> group_of_feature, std::vector<std::string> names);
/// s² k; θ: log s, then the kernel's.
KernelPointer scaled(KernelPointer kernel);
/// θ: those of the parts, in order. @pre two parts at least, of equal features()
KernelPointer sum_of(std::vector<KernelPointer> parts);
KernelPointer product_of(std::vector<KernelPointer> parts);

/// The lower triangle of K for points against themselves (above the diagonal is garbage); `tile` columns at a time.
void covariance(const Kernel& kernel, const Kernel::Parameters& theta, const Kernel::Points& points,
                Eigen::Ref<Eigen::MatrixXd> result);
/// gradient_t += Σ_ij W_ij ∂K_ij/∂θ_t for symmetric W, of which the lower triangle is read.
void add_covariance_gradient(const Kernel& kernel, const Kernel::Parameters& theta, const Kernel::Points& points,
                             const Eigen::Ref<const Eigen::MatrixXd>& weights, Eigen::Ref<Eigen::VectorXd> gradient);

}  // namespace tempera
