#pragma once

#include <stdexcept>

namespace tempera {

/// A broken precondition: a defect of the caller, never of the user's input.
class ContractViolation : public std::logic_error {
 public:
  ContractViolation(const char* condition, const char* file, int line);
};

}  // namespace tempera

/// Precondition check at the top of a public function; compiled in for tests and debug builds only.
#if defined(TEMPERA_CONTRACTS)
#define TEMPERA_EXPECTS(condition) \
  ((condition) ? static_cast<void>(0) : throw ::tempera::ContractViolation(#condition, __FILE__, __LINE__))
#else
#define TEMPERA_EXPECTS(condition) static_cast<void>(0)
#endif
