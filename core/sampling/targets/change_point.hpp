#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/sampling/model.hpp"
#include "core/sampling/targets/data_field.hpp"

namespace tempera {

class JsonData;
class OptionSchema;

struct ChangePointOptions {
  void declare(OptionSchema&) {}
};

/// Yearly counts, Poisson with the rate `early` before an unknown year and `late` from it on; the year is summed out, each
/// with the same prior (the first: all years are late). Both rates have the prior Gamma(2, 1). Unless data are given: British
/// coal-mining disasters 1851–1962 (ten deaths or more; Jarrett 1979).
/// Cost: two exponentials and three multiply-adds a year.
class ChangePointModel final : public Model {
 public:
  using Options = ChangePointOptions;
  explicit ChangePointModel(const ChangePointOptions& = {});
  /// @throws Error{input} as JsonData does
  ChangePointModel(const ChangePointOptions& options, JsonData& data);
  static std::vector<DataField> data_fields();

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
  explicit ChangePointModel(std::span<const Index> counts);
  double all_years() const { return static_cast<double>(before_.size()); }

  std::vector<double> before_;  // events before each year
  double total_ = 0;
  double log_factorials_ = 0;
  std::vector<double> weight_;  // scratch, one a year
};

}  // namespace tempera
