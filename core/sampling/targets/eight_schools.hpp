#pragma once

#include <vector>

#include "core/sampling/model.hpp"
#include "core/sampling/targets/data_field.hpp"

namespace tempera {

class JsonData;
class OptionSchema;

struct EightSchoolsOptions {
  bool centred = false;
  void declare(OptionSchema& schema);
};

/// Effects of coaching in schools, eight of them unless data say otherwise: y_j ~ N(theta_j, sigma_j), theta_j ~ N(mu, tau), mu ~ N(0, 5),
/// tau ~ half-Cauchy(5) (normalised on tau > 0). Not centred: theta_trans_j ~ N(0, 1), theta_j = mu + tau theta_trans_j.
/// Rubin 1981; posteriordb's eight_schools_centered and eight_schools_noncentered, whose names and order these are.
class EightSchoolsModel final : public Model {
 public:
  using Options = EightSchoolsOptions;
  /// Rubin's schools.
  explicit EightSchoolsModel(const EightSchoolsOptions& options);
  /// Any number of schools. @throws Error{input} as JsonData does
  EightSchoolsModel(const EightSchoolsOptions& options, JsonData& data);
  static std::vector<DataField> data_fields();

  std::vector<ParameterBlock> parameters() const override;
  double log_prior(std::span<const double> theta, std::span<double> gradient) override;
  double log_likelihood(std::span<const double> theta, std::span<double> gradient) override;
  bool has_gradient() const override { return true; }
  bool samples_prior() const override { return true; }
  bool normalised_prior() const override { return true; }
  void sample_prior(RandomStream& stream, std::span<double> theta) override;
  std::unique_ptr<Model> clone() const override { return std::make_unique<EightSchoolsModel>(*this); }

 private:
  struct Schools {
    std::vector<double> effects, errors;
  };
  static Schools read(JsonData& data);
  EightSchoolsModel(bool centred, Schools schools);

  bool centred_;
  std::vector<double> effects_;
  std::vector<double> precisions_;  // 1/sigma
  double constants_ = 0;            // of the likelihood
};

}  // namespace tempera
