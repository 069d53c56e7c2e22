#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "core/sampling/explorer.hpp"

namespace tempera::test {

/// Draws of a posterior by one explorer at β = 1, without tempering.
struct SingleChains {
  std::vector<std::vector<double>> chains;  ///< for compare_with_reference()
  Index evaluations = 0;
};

/// Chains that each start at a reference draw, with means, scales and covariance of the reference draws for tuning; step
/// sizes are adapted in eight rounds of 100 steps that are thrown away.
/// @param folder  posteriordb's files
SingleChains run_single_chains(std::string_view posterior, const std::filesystem::path& folder,
                               const Explorer& explorer, int chains, int draws, std::uint64_t seed);

}  // namespace tempera::test
