#include "distributed/bayesopt/evaluator.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <exception>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"

namespace tempera {

namespace {

TrialResult failed(std::string reason) {
  TrialResult result;
  result.status = TrialStatus::failed;
  result.reason = std::move(reason);
  return result;
}

TrialResult evaluated(const FunctionEvaluator::Function& function, const TrialRequest& request) {
  try {
    TrialResult result = function(request);
    if (result.status == TrialStatus::ok && !std::isfinite(result.value)) {
      result.status = TrialStatus::invalid;
      result.reason = fmt::format("the value is {}", result.value);
    }
    return result;
  } catch (const Error& error) {
    return failed(error.where().empty() ? error.what_is_wrong() : error.where() + ": " + error.what_is_wrong());
  } catch (const ContractViolation&) {
    throw;  // a defect, not a result
  } catch (const std::exception& error) {
    return failed(error.what());
  }
}

}  // namespace

std::optional<TrialAnswer> FunctionEvaluator::poll() {
  if (!request_) return std::nullopt;
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  TrialAnswer answer{request_->number, request_->attempt, evaluated(function_, *request_)};
  answer.result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  request_.reset();
  return answer;
}

}  // namespace tempera
