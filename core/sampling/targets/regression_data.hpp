#pragma once

#include <cstdint>
#include <vector>

#include "core/base/index.hpp"
#include "core/sampling/targets/data_field.hpp"

namespace tempera {

class JsonData;

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

/// The fields of a data file: x, y, and their sizes N and K, which may be left out.
std::vector<DataField> regression_fields(ResponseFamily family);
/// @throws Error{input} as JsonData does, also for responses that the family cannot have
RegressionData read_regression(ResponseFamily family, JsonData& data);

}  // namespace tempera
