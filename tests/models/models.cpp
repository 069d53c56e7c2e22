#include "tests/models/models.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include "core/sampling/targets/eight_schools.hpp"
#include "tests/models/factories.hpp"
#include "tests/models/half_line.hpp"

namespace tempera::test {

namespace {

const double kLog2 = std::log(2.0);

struct Entry {
  std::string_view name;
  const char* data;
  std::unique_ptr<Model> (*make)(JsonData&);
  double log_prior_constant;
};

std::unique_ptr<Model> make_eight_schools(JsonData& data) {
  return std::make_unique<EightSchoolsModel>(EightSchoolsOptions{}, data);
}

std::unique_ptr<Model> make_hudson(JsonData& data) {
  return make_lotka_volterra(data);
}

/// P(0 < X < Y) for X ~ N(0, 1), Y ~ N(3, 1), by mpmath's quadrature with 30 digits.
constexpr double kOrderedMass = 0.483196180874587881;

const std::array kEntries{
    Entry{"arK-arK", "arK", make_ark, kLog2},
    Entry{"bball_drive_event_0-hmm_drive_0", "bball_drive_event_0", make_hmm_drive, -2 * std::log(kOrderedMass)},
    Entry{"eight_schools-eight_schools_noncentered", "eight_schools", make_eight_schools, kLog2},
    Entry{"garch-garch11", "garch", make_garch, 0},
    Entry{"gp_pois_regr-gp_regr", "gp_pois_regr", make_gp_regression, 2 * kLog2},
    Entry{"hudson_lynx_hare-lotka_volterra", "hudson_lynx_hare", make_hudson,
          -2 * (log_positive_mass(1, 0.5) + log_positive_mass(0.05, 0.05))},
    Entry{"kidiq-kidscore_interaction", "kidiq", make_kidscore, kLog2},
    Entry{"kilpisjarvi_mod-kilpisjarvi", "kilpisjarvi_mod", make_kilpisjarvi, 0},
    Entry{"low_dim_gauss_mix-low_dim_gauss_mix", "low_dim_gauss_mix", make_gauss_mix, 3 * kLog2},
    Entry{"mesquite-logmesquite", "mesquite", make_mesquite, 0},
};

const Entry& find(std::string_view name) {
  for (const Entry& entry : kEntries)
    if (entry.name == name) return entry;
  throw std::invalid_argument("no posterior " + std::string(name));
}

}  // namespace

std::span<const std::string_view> posteriordb_names() {
  static const auto names = [] {
    std::array<std::string_view, kEntries.size()> all;
    for (std::size_t k = 0; k < all.size(); ++k) all[k] = kEntries[k].name;
    return all;
  }();
  return names;
}

std::unique_ptr<Model> make_posteriordb_model(std::string_view name, const std::filesystem::path& folder) {
  const Entry& entry = find(name);
  JsonData data = JsonData::read(folder / (std::string(entry.data) + ".data.json"));
  return entry.make(data);
}

void to_reference_parameters(std::string_view name, std::span<const double> theta, std::span<double> reference) {
  std::copy_n(theta.begin(), reference.size(), reference.begin());
  if (find(name).make != make_eight_schools) return;
  const std::size_t schools = theta.size() - 2;
  for (std::size_t j = 0; j < schools; ++j) reference[j] = theta[schools] + theta[schools + 1] * theta[j];
}

std::vector<double> from_reference_parameters(std::string_view name, std::span<const double> reference) {
  std::vector<double> theta(reference.begin(), reference.end());
  const auto make = find(name).make;
  if (make == make_eight_schools) {
    const std::size_t schools = theta.size() - 2;
    for (std::size_t j = 0; j < schools; ++j) theta[j] = (theta[j] - theta[schools]) / theta[schools + 1];
  } else if (make == make_garch) {
    theta.push_back(1 - theta[2] - theta[3]);
  } else if (make == make_hmm_drive) {
    theta[0] = 1 - theta[1];
    theta[2] = 1 - theta[3];
  }
  return theta;
}

double log_prior_constant(std::string_view name) {
  return find(name).log_prior_constant;
}

}  // namespace tempera::test
