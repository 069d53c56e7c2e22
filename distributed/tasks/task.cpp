#include "distributed/tasks/task.hpp"

namespace tempera {

TaskReport TaskReport::failure(const Error& error) {
  TaskReport report;
  report.status = TaskStatus::failed;
  report.category = error.category();
  report.where = error.where();
  report.what_is_wrong = error.what_is_wrong();
  report.hint = error.hint();
  return report;
}

}  // namespace tempera
