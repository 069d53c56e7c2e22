#pragma once

#include <memory>

#include "core/io/json_data.hpp"
#include "core/sampling/model.hpp"

namespace tempera::test {

// Each model in a file of its own. All: @throws Error{input} as JsonData does; fields that a model does not need are
// left alone.

/// Autoregression of order K: y_t ~ N(alpha + Σ beta_k y_{t−k}, sigma), alpha and beta_k ~ N(0, 10), sigma ~
/// half-Cauchy(2.5).
std::unique_ptr<Model> make_ark(JsonData& data);
/// Two-state hidden Markov chain with exponential emissions of two kinds, u of rates phi and v of rates lambda. The rows
/// theta1, theta2 of the transition matrix ~ Dirichlet(alpha); phi and lambda rise, N(0, 1) and N(3, 1) on 0 < x_1 < x_2.
std::unique_ptr<Model> make_hmm_drive(JsonData& data);
/// y_t ~ N(mu, s_t), s_1 given, s_t² = alpha0 + alpha1 (y_{t−1} − mu)² + beta1 s_{t−1}². The block `weights` is (alpha1,
/// beta1, the rest to one), uniform on its simplex; mu and alpha0 > 0 are flat.
std::unique_ptr<Model> make_garch(JsonData& data);
/// Gaussian process with covariance alpha² exp(−(x − x')²/(2 rho²)) and noise of variance sigma; rho ~ gamma(25, rate 4),
/// alpha ~ N(0, 2), sigma ~ N(0, 1), both positive.
std::unique_ptr<Model> make_gp_regression(JsonData& data);
/// Hares and lynxes: u' = (a − b v) u, v' = (d u − c) v with theta = (a, b, c, d), from z_init at time 0; log observations ~
/// N(log z, sigma) of each species. a, c ~ N(1, 0.5), b, d ~ N(0.05, 0.05), all positive; z_init ~ log-normal(log 10, 1),
/// sigma ~ log-normal(−1, 1).
/// @param relative, absolute  error of the states in each step (Dormand–Prince)
std::unique_ptr<Model> make_lotka_volterra(JsonData& data, double relative = 1e-6, double absolute = 1e-4);
/// Test scores of children on their mothers' schooling and IQ with interaction; beta flat, sigma ~ half-Cauchy(2.5).
std::unique_ptr<Model> make_kidscore(JsonData& data);
/// Summer temperatures on the year: alpha and beta normal as the data say, sigma flat.
std::unique_ptr<Model> make_kilpisjarvi(JsonData& data);
/// y ~ theta N(mu_1, sigma_1) + (1 − theta) N(mu_2, sigma_2), mu_1 < mu_2 ~ N(0, 2), sigma ~ N(0, 2) positive, theta ~
/// Beta(5, 5).
std::unique_ptr<Model> make_gauss_mix(JsonData& data);
/// Log weight of mesquite bushes on logs of their measures; all flat.
std::unique_ptr<Model> make_mesquite(JsonData& data);

}  // namespace tempera::test
