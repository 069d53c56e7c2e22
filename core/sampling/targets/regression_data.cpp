#include "core/sampling/targets/regression_data.hpp"

#include <cmath>

#include "core/base/random_stream.hpp"
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

}  // namespace tempera
