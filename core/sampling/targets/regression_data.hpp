#pragma once

#include <cstdint>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

/// A response and its predictors, one row an observation.
struct RegressionData {
  Index predictors = 0;
  std::vector<double> x;  ///< observations × predictors, row-major
  std::vector<double> y;

  Index observations() const { return static_cast<Index>(y.size()); }
  const double* row(Index i) const { return x.data() + i * predictors; }
};

enum class ResponseFamily { gaussian, bernoulli, poisson };

/// Predictors: a column of ones, then standard normals. Coefficients: ½ times standard normals. Responses: the linear
/// predictor plus N(0, 1); 0 or 1 by its logistic function; Poisson counts with its exponential for mean. Every row has
/// a stream of its own, so more observations continue the same table.
RegressionData simulated_regression(ResponseFamily family, Index observations, Index predictors, std::uint64_t seed);

}  // namespace tempera
