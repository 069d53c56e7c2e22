#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/index.hpp"

namespace tempera::test {

/// Published moments of one parameter.
struct ReferenceMoments {
  std::string name;  ///< "theta[1]"
  double mean = 0, sd = 0;
  double mcse_mean = 0, mcse_sd = 0;
};

/// All parameters of a posterior, in the order of to_reference_parameters(). The error of a standard deviation comes
/// from kurtosis and effective number of the reference draws: sd √((excess + 2)/(4 ESS)).
std::vector<ReferenceMoments> read_reference(std::string_view posterior, const std::filesystem::path& folder);

/// Every tenth reference draw, in the order of the file: values of the parameters, as above.
std::vector<std::vector<double>> read_reference_draws(std::string_view posterior, const std::filesystem::path& folder);

/// A parameter against its reference.
struct Comparison {
  std::string name;
  double mean = 0, sd = 0, reference_mean = 0, reference_sd = 0;
  double ess = 0, rhat = 0;
  double z_mean = 0;  ///< (mean − reference)/√(mcse² + reference mcse²)
  double z_sd = 0;    ///< the same of the standard deviations
};

/// @param chains  one span a chain: its draws one after the other, each with the parameters of the reference in their
///                order (to_reference_parameters); all of one length
std::vector<Comparison> compare_with_reference(std::span<const std::span<const double>> chains,
                                               std::span<const ReferenceMoments> reference);

std::vector<Comparison> compare_with_reference(const std::vector<std::vector<double>>& chains,
                                               std::span<const ReferenceMoments> reference);

/// The largest |z| of all; NaN if one is.
double largest_z(std::span<const Comparison> comparisons);

/// One line a parameter, for a person.
std::string comparison_table(std::string_view title, std::span<const Comparison> comparisons);

}  // namespace tempera::test
