#include "core/sampling/targets/binomial_product.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/base/error.hpp"
#include "core/base/option_schema.hpp"
#include "core/sampling/detail/stable.hpp"

namespace tempera {

void BinomialProductOptions::declare(OptionSchema& schema) {
  schema.integer("trials", trials).minimum(1).maximum(1e8).help("number of trials");
  schema.integer("successes", successes).minimum(0).maximum(1e8).help("successes among them");
}

BinomialProductTarget::BinomialProductTarget(const BinomialProductOptions& options)
    : Target({{"p1", {}, Transform::interval(0, 1)}, {"p2", {}, Transform::interval(0, 1)}}),
      successes_(static_cast<double>(options.successes)),
      failures_(static_cast<double>(options.trials - options.successes)) {
  if (options.successes > options.trials)
    throw Error(Category::usage, "--set", fmt::format("{} successes in {} trials", options.successes, options.trials));
  log_choices_ = detail::log_gamma(successes_ + failures_ + 1) - detail::log_gamma(successes_ + 1) -
                 detail::log_gamma(failures_ + 1);
}

LogDensity BinomialProductTarget::evaluate(std::span<const double> u, std::span<double> reference_gradient,
                                           std::span<double> likelihood_gradient) {
  const double p1 = detail::logistic(u[0]);
  const double p2 = detail::logistic(u[1]);
  const double not_p1 = detail::logistic(-u[0]);
  const double not_p2 = detail::logistic(-u[1]);
  const double log_p1 = -detail::log1p_exp(-u[0]);
  const double log_p2 = -detail::log1p_exp(-u[1]);
  const double failure = not_p1 + p1 * not_p2;  // 1 − p1 p2
  if (!reference_gradient.empty()) {
    reference_gradient[0] = not_p1 - p1;
    reference_gradient[1] = not_p2 - p2;
    // −∂ log(1 − p1 p2)/∂u_1 = p1 p2 (1 − p1)/(1 − p1 p2), a share of at most one: no 0/0 where all underflow
    const double share = failure > 0 ? p1 * p2 / failure : 0;
    likelihood_gradient[0] = successes_ * not_p1 - failures_ * share * not_p1;
    likelihood_gradient[1] = successes_ * not_p2 - failures_ * share * not_p2;
  }
  const double of_failures = failures_ > 0 ? failures_ * std::log(failure) : 0;
  return {log_p1 + log_p2 + (log_p1 - u[0]) + (log_p2 - u[1]),  // log p + log(1 − p), each
          log_choices_ + successes_ * (log_p1 + log_p2) + of_failures};
}

void BinomialProductTarget::sample_reference(RandomStream& stream, std::span<double> u) {
  for (double& value : u) {
    const double p = stream.uniform_open();
    value = std::log(p / (1 - p));
  }
}

double BinomialProductTarget::log_evidence() const {
  const double trials = successes_ + failures_;
  double digamma_difference = 0;
  for (double k = trials + 1; k > successes_; --k) digamma_difference += 1 / k;
  return std::log(digamma_difference / (trials + 1));
}

}  // namespace tempera
