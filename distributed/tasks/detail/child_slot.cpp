#include "distributed/tasks/detail/child_slot.hpp"

#include <algorithm>
#include <utility>

#include "core/base/contract.hpp"

namespace tempera::detail {

namespace {
constexpr double kShortestPause = 0.001, kLongestPause = 0.02, kShareOfPause = 0.02;
}

ChildSlot::~ChildSlot() {
  if (!number_ || failed_) return;
  try {
    children_->cancel();
  } catch (...) {  // the job fails already, and with a better reason
  }
}

void ChildSlot::begin(Index number, const std::string& order, RankSpan ranks) {
  TEMPERA_EXPECTS(!is_busy());
  number_ = number;
  begun_ = std::chrono::steady_clock::now();
  try {
    if (children_ == nullptr) throw Error(Category::environment, "", "this job has nothing that runs child processes");
    children_->begin(order, ranks);
  } catch (const std::exception&) {
    failed_ = TaskReport::failure(current_exception_as_error());
  }
}

std::optional<TaskReport> ChildSlot::poll() {
  TEMPERA_EXPECTS(is_busy());
  if (failed_) return finished(*std::exchange(failed_, std::nullopt));
  try {
    if (auto report = children_->poll()) return finished(std::move(*report));
    return std::nullopt;
  } catch (const std::exception&) {
    return finished(TaskReport::failure(current_exception_as_error()));
  }
}

TaskReport ChildSlot::cancel() {
  TEMPERA_EXPECTS(is_busy());
  if (failed_) return *poll();
  try {
    children_->cancel();
  } catch (const std::exception&) {
    return finished(TaskReport::failure(current_exception_as_error()));
  }
  TaskReport report;
  report.status = TaskStatus::cancelled;
  return finished(std::move(report));
}

TaskReport ChildSlot::finished(TaskReport report) {
  report.seconds = seconds();
  number_.reset();
  return report;
}

double ChildSlot::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
}

double ChildSlot::pause() const {
  return std::clamp(kShareOfPause * seconds(), kShortestPause, kLongestPause);
}

}  // namespace tempera::detail
