#include "distributed/bayesopt/evaluator.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <exception>
#include <utility>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "distributed/bayesopt/event.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/objects.hpp"

namespace tempera {

namespace {

using Json = nlohmann::ordered_json;

TrialResult failed(std::string reason) {
  TrialResult result;
  result.status = TrialStatus::failed;
  result.reason = std::move(reason);
  return result;
}

std::string reason_of(const Error& error) {
  return error.where().empty() ? error.what_is_wrong() : error.where() + ": " + error.what_is_wrong();
}

using Outcome = std::optional<TrialResult>;

Outcome evaluated(const FunctionEvaluator::GroupFunction& function, const TrialRequest& request,
                  const Communicator& group) {
  Outcome result = function(request, group);
  if (result && group.rank() == 0 && result->status == TrialStatus::ok && !std::isfinite(result->value)) {
    result->status = TrialStatus::invalid;
    result->reason = fmt::format("the value is {}", result->value);
  }
  return result;
}

Outcome evaluated_alone(const FunctionEvaluator::GroupFunction& function, const TrialRequest& request,
                        const Communicator& group) {
  try {
    return evaluated(function, request, group);
  } catch (const Error& error) {
    return failed(reason_of(error));
  } catch (const ContractViolation&) {
    throw;  // a defect, not a result
  } catch (const std::exception& error) {
    return failed(error.what());
  }
}

Outcome evaluated_together(const FunctionEvaluator::GroupFunction& function, const TrialRequest& request,
                           const Communicator& group) {
  bool defect = false;
  try {
    return collectively(group, [&] {
      Outcome result;
      try {
        result = evaluated(function, request, group);
      } catch (const ContractViolation&) {
        defect = true;
        throw;
      } catch (const Error&) {
        throw;
      } catch (const std::exception& error) {
        throw Error(Category::numerical, "", error.what());
      }
      // The first rank that is not content speaks for all.
      const bool ok = !result || result->status == TrialStatus::ok;
      const int first = group.all_reduce_value(ok ? group.size() : group.rank(), Reduction::minimum);
      if (first > 0 && first < group.size()) {
        std::string text = to_json(ResultEvent{request.number, request.attempt, result ? *result : TrialResult{}})
                               .dump(-1, ' ', false, Json::error_handler_t::replace);
        group.broadcast_object(text, first);
        result = std::get<ResultEvent>(event_from_json(Json::parse(text))).result;
      }
      return result;
    });
  } catch (const Error& error) {
    if (group.all_reduce_value(defect ? 1 : 0, Reduction::maximum) != 0) throw;
    return failed(reason_of(error));
  }
}

}  // namespace

std::optional<TrialAnswer> FunctionEvaluator::poll() {
  if (!request_) return std::nullopt;
  TEMPERA_EXPECTS(group_);
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const TrialRequest request = *std::exchange(request_, std::nullopt);
  Outcome result = (collective_ ? evaluated_together : evaluated_alone)(function_, request, *group_);
  if (!result) return std::nullopt;
  result->seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return TrialAnswer{request.number, request.attempt, *std::move(result)};
}

}  // namespace tempera
