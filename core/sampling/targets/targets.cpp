#include "core/sampling/targets/targets.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <concepts>

#include "core/base/error.hpp"
#include "core/base/option_schema.hpp"
#include "core/io/json_data.hpp"
#include "core/sampling/model.hpp"
#include "core/sampling/targets/binomial_product.hpp"
#include "core/sampling/targets/change_point.hpp"
#include "core/sampling/targets/eight_schools.hpp"
#include "core/sampling/targets/funnel.hpp"
#include "core/sampling/targets/gaussian.hpp"
#include "core/sampling/targets/gaussian_mixture.hpp"
#include "core/sampling/targets/generalised_regression.hpp"
#include "core/sampling/targets/ising.hpp"
#include "core/sampling/targets/linear_regression.hpp"
#include "core/sampling/targets/mixture.hpp"
#include "core/sampling/targets/phi4.hpp"
#include "core/sampling/targets/rosenbrock.hpp"

namespace tempera {

namespace {

using Texts = std::span<const std::string>;

/// A row of the table of targets.
struct Entry {
  const char* name;
  const char* summary;
  std::vector<TargetSetting> (*settings)(const Entry&);
  std::vector<DataField> (*data)();
  std::unique_ptr<Target> (*make)(const Entry&, Texts, const DataFile&);
  std::optional<double> (*log_evidence)(const Entry&, Texts, const DataFile&);
};

template <class T>
std::vector<TargetSetting> settings_of(const Entry& entry) {
  typename T::Options options;
  OptionSchema schema(entry.name, entry.summary);
  options.declare(schema);
  std::vector<TargetSetting> settings;
  for (const NamedSetting& setting : describe_settings(schema))
    settings.push_back({setting, schema.find(setting.name)->group() == kSimulatedData});
  return settings;
}

template <class T>
std::vector<DataField> data_of() {
  if constexpr (requires { T::data_fields(); }) {
    return T::data_fields();
  } else {
    return {};
  }
}

/// "the data of eight-schools are J (optional), y [J], sigma [J]"
std::string form_of(const Entry& entry) {
  std::vector<std::string> fields;
  for (const DataField& field : entry.data())
    fields.push_back(field.name + (field.shape.empty() ? "" : " [" + field.shape + "]") +
                     (field.optional ? " (optional)" : ""));
  return fmt::format("the data of {} are {}", entry.name, fmt::join(fields, ", "));
}

void refuse_simulation(const OptionSchema& schema) {
  for (const Option& option : schema.options())
    if (option.group() == kSimulatedData && !option.set_by().empty())
      throw Error(Category::usage, "--set",
                  fmt::format("{} describes simulated data, but --data gives others", option.name()),
                  fmt::format("leave out {} or --data", option.name()));
}

/// For a target that takes no data.
[[noreturn]] void refuse_data(const Entry& entry);

template <class T>
std::unique_ptr<T> build(const Entry& entry, Texts settings, const DataFile& file) {
  typename T::Options options;
  OptionSchema schema(entry.name, entry.summary);
  options.declare(schema);
  for (const std::string& setting : settings) apply_setting(schema, setting, "target", "--set");
  if (!file) return std::make_unique<T>(options);
  if constexpr (requires { T::data_fields(); }) {
    refuse_simulation(schema);
    JsonData data = JsonData::read(*file, form_of(entry));
    try {
      auto built = std::make_unique<T>(options, data);
      data.refuse_unused();
      return built;
    } catch (const Error& error) {
      if (!error.where().empty()) throw;
      throw Error(error.category(), file->string(), error.what_is_wrong(), error.hint());  // of a model on its table
    }
  } else {
    refuse_data(entry);
  }
}

template <class T>
std::unique_ptr<Target> make(const Entry& entry, Texts settings, const DataFile& file) {
  if constexpr (std::derived_from<T, Model>) {
    return std::make_unique<TransformedTarget>(build<T>(entry, settings, file));
  } else {
    return build<T>(entry, settings, file);
  }
}

template <class T>
std::optional<double> log_evidence_of(const Entry& entry, Texts settings, const DataFile& file) {
  const auto built = build<T>(entry, settings, file);
  if constexpr (requires { built->log_evidence(); }) {
    return built->log_evidence();
  } else {
    return std::nullopt;
  }
}

template <class T>
constexpr Entry entry(const char* name, const char* summary) {
  return {name, summary, settings_of<T>, data_of<T>, make<T>, log_evidence_of<T>};
}

constexpr std::array kEntries{
    entry<GaussianTarget>("gaussian", "a Gaussian under a wider one"),
    entry<MixtureTarget>("mixture", "many narrow Gaussians in a cube"),
    entry<FunnelTarget>("funnel", "Neal's funnel"),
    entry<RosenbrockTarget>("rosenbrock", "curved valleys"),
    entry<EightSchoolsModel>("eight-schools", "effects of coaching in eight schools"),
    entry<BinomialProductTarget>("binomial-product", "two probabilities of which only the product is identified"),
    entry<LinearRegressionModel>("linear-regression", "conjugate linear regression"),
    entry<FamilyRegression<ResponseFamily::gaussian>>("sparse-regression", "regression with a horseshoe prior"),
    entry<FamilyRegression<ResponseFamily::bernoulli>>("logistic-regression", "logistic regression"),
    entry<FamilyRegression<ResponseFamily::poisson>>("poisson-regression", "regression of counts"),
    entry<GaussianMixtureModel>("gaussian-mixture", "clustering, with a mode for each order of the clusters"),
    entry<ChangePointModel>("change-point", "counts with one change of rate, coal-mining disasters"),
    entry<IsingTarget>("ising", "spins on a periodic square lattice"),
    entry<Phi4Target>("phi4", "a scalar field on a periodic square lattice"),
};

void refuse_data(const Entry& entry) {
  std::vector<std::string> names;
  for (const Entry& candidate : kEntries)
    if (!candidate.data().empty()) names.push_back(candidate.name);
  throw Error(Category::usage, "--data", fmt::format("target {} has no data", entry.name),
              fmt::format("targets with data are {}", fmt::join(names, ", ")));
}

const Entry& find_entry(std::string_view name) {
  std::vector<std::string> names;
  for (const Entry& candidate : kEntries) names.push_back(candidate.name);
  return kEntries[find_named(name, names, "target", "--target")];
}

}  // namespace

std::vector<TargetDescription> describe_targets() {
  std::vector<TargetDescription> descriptions;
  for (const Entry& candidate : kEntries)
    descriptions.push_back({candidate.name, candidate.summary, candidate.settings(candidate), candidate.data()});
  return descriptions;
}

std::unique_ptr<Target> make_target(std::string_view name, std::span<const std::string> settings,
                                    const DataFile& data) {
  const Entry& found = find_entry(name);
  return found.make(found, settings, data);
}

std::optional<double> exact_log_evidence(std::string_view name, std::span<const std::string> settings,
                                         const DataFile& data) {
  const Entry& found = find_entry(name);
  return found.log_evidence(found, settings, data);
}

}  // namespace tempera
