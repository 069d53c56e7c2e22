#pragma once

#include <string>

#include "core/bayesopt/objectives.hpp"

namespace tempera::bench {

/// "levy:dim=4;noise=0.5": a test function with settings.
TestObjective test_problem(const std::string& text);

}  // namespace tempera::bench
