#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/sampling/model.hpp"

namespace tempera {

class OptionSchema;

struct ChangePointOptions {
  void declare(OptionSchema&) {}
};

/// Yearly numbers of British coal-mining disasters 1851–1962 (ten deaths or more; Jarrett 1979), Poisson with the rate
/// `early` before an unknown year and `late` from it on; the year is summed out, each of 1851 … 1962 with the same prior
/// (1851: all years are late). Both rates have the prior Gamma(2, 1).
/// Cost: two exponentials and three multiply-adds a year.
class ChangePointModel final : public Model {
 public:
  using Options = ChangePointOptions;
  explicit ChangePointModel(const ChangePointOptions& = {});

  std::vector<ParameterBlock> parameters() const override;
  double log_prior(std::span<const double> theta, std::span<double> gradient) override;
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override;
  std::unique_ptr<Model> clone() const override { return std::make_unique<ChangePointModel>(*this); }

  /// Exact: each year's share is a product of two gamma integrals.
  double log_evidence() const;

 private:
  std::vector<double> before_;  // disasters before each year
  double total_ = 0;
  double log_factorials_ = 0;
  std::vector<double> weight_;  // scratch, one a year
};

}  // namespace tempera
