#include "tests/bench/test_problem.hpp"

#include <vector>

#include "core/base/text.hpp"

namespace tempera::bench {

TestObjective test_problem(const std::string& text) {
  const std::size_t colon = text.find(':');
  std::vector<std::string> settings;
  if (colon != std::string::npos)
    for (const std::string_view part : split(std::string_view(text).substr(colon + 1), ';'))
      settings.emplace_back(part);
  return TestObjective(text.substr(0, colon), settings);
}

}  // namespace tempera::bench
