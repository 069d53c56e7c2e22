#include "core/sampling/targets/regression_data.hpp"

#include <cmath>

#include "core/base/random_stream.hpp"
#include "core/io/json_data.hpp"
#include "core/sampling/detail/stable.hpp"

namespace tempera {

namespace {

double response(ResponseFamily family, double linear, RandomStream& stream) {
  switch (family) {
    case ResponseFamily::gaussian: return linear + stream.normal();
    case ResponseFamily::bernoulli: return stream.uniform() < detail::logistic(linear) ? 1 : 0;
    case ResponseFamily::poisson: return static_cast<double>(stream.poisson(std::exp(linear)));
  }
  return 0;
}

}  // namespace

RegressionData simulated_regression(ResponseFamily family, Index observations, Index predictors, std::uint64_t seed) {
  constexpr double kCoefficientSd = 0.5;
  const auto columns = static_cast<std::size_t>(predictors);
  std::vector<double> coefficients(columns);
  RandomStream truth(seed, "regression-coefficients");
  for (double& value : coefficients) value = kCoefficientSd * truth.normal();
  RegressionData data{predictors, {}, {}};
  for (Index i = 0; i < observations; ++i) {
    RandomStream stream(seed, "regression-row", {i});
    double linear = 0;
    for (std::size_t j = 0; j < columns; ++j) {
      data.x.push_back(j == 0 ? 1.0 : stream.normal());
      linear += data.x.back() * coefficients[j];
    }
    data.y.push_back(response(family, linear, stream));
  }
  return data;
}

std::vector<DataField> regression_fields(ResponseFamily family) {
  return {{"N", "", true, "number of observations"},
          {"K", "", true, "number of predictors"},
          {"x", "N × K", false, "predictors; a column of ones first for an intercept"},
          {"y", "N", false,
           family == ResponseFamily::gaussian    ? "responses"
           : family == ResponseFamily::bernoulli ? "responses, 0 or 1"
                                                 : "responses, whole numbers from 0"}};
}

RegressionData read_regression(ResponseFamily family, JsonData& data) {
  const Index observations = data.size("N", "y");
  const Index predictors = data.size("K", "x", 1);
  RegressionData table{predictors, data.numbers("x", {observations, predictors}), {}};
  if (family == ResponseFamily::gaussian) {
    table.y = data.numbers("y", {observations});
  } else {
    OptionRange range{.minimum = 0};
    if (family == ResponseFamily::bernoulli) range.maximum = 1;
    const std::vector<Index> responses = data.integers("y", {observations}, range);
    table.y.assign(responses.begin(), responses.end());
  }
  return table;
}

}  // namespace tempera
