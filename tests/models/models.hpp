#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/sampling/model.hpp"

namespace tempera::test {

/// Ten posteriors of posteriordb, by the names they have there (shared data, folder posteriordb).
std::span<const std::string_view> posteriordb_names();

/// The model of a posterior with hand-written gradients, on its data. Priors are normalised on their supports where they
/// have finite mass in every parameter (Stan leaves such constants out) and can be sampled there.
/// @param name    one of posteriordb_names()
/// @param folder  posteriordb's files
/// @throws Error{input} for data that do not fit
std::unique_ptr<Model> make_posteriordb_model(std::string_view name, const std::filesystem::path& folder);

/// The parameters of the reference draws, in their order, from those of the model: the first ones of θ, but for
/// eight schools, where θ holds standardised effects.
/// @param reference  overwritten; as many as the reference has
void to_reference_parameters(std::string_view name, std::span<const double> theta, std::span<double> reference);
/// The way back, for starts at a reference draw; what rounding took from sums to one is given back.
std::vector<double> from_reference_parameters(std::string_view name, std::span<const double> reference);

/// log of the normalising constants that the published log priors leave out: ours − theirs.
double log_prior_constant(std::string_view name);

}  // namespace tempera::test
