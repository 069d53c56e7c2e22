#pragma once

#include <vector>

#include "core/sampling/explorer.hpp"

namespace tempera::detail {

/// A tuning as numbers in a message.
void append(std::vector<double>& numbers, const ChainTuning& tuning);
/// Takes back what append() wrote, into a tuning of the right size but for its covariance factor. @return what follows
std::vector<double>::const_iterator read(std::vector<double>::const_iterator at, ChainTuning& tuning);

}  // namespace tempera::detail
