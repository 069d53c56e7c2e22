#include "tests/support/faults.hpp"

#include <sstream>

#include "tests/support/data.hpp"

namespace tempera::test {

ProcessSettings with_fault(const Fault& fault, ProcessSettings settings) {
  auto& variables = settings.environment;
  variables.emplace_back("LD_PRELOAD", TEMPERA_FAULT_LIBRARY);
  // A sanitized program accepts that a library comes before its own.
  variables.emplace_back("ASAN_OPTIONS", "verify_asan_link_order=0");
  variables.emplace_back("TEMPERA_FAULT_PATH", fault.path);
  if (fault.call > 0) {
    variables.emplace_back("TEMPERA_FAULT_CALL", std::to_string(fault.call));
    variables.emplace_back("TEMPERA_FAULT_ACTION", fault.action);
    variables.emplace_back("TEMPERA_FAULT_COUNT", std::to_string(fault.more));
  }
  if (fault.rank) variables.emplace_back("TEMPERA_FAULT_RANK", std::to_string(*fault.rank));
  if (!fault.log.empty()) variables.emplace_back("TEMPERA_FAULT_LOG", fault.log.string());
  return settings;
}

std::vector<FileCall> read_fault_log(const std::filesystem::path& log) {
  std::vector<FileCall> calls;
  std::istringstream lines(read_text(log));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    FileCall call;
    std::string rank, number;
    std::getline(fields, rank, '\t');
    std::getline(fields, number, '\t');
    std::getline(fields, call.call, '\t');
    std::getline(fields, call.path, '\t');
    std::getline(fields, call.second, '\t');
    call.rank = std::stoi(rank);
    call.number = std::stoi(number);
    calls.push_back(std::move(call));
  }
  return calls;
}

}  // namespace tempera::test
