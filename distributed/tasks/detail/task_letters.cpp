#include "distributed/tasks/detail/task_letters.hpp"

#include <boost/serialization/vector.hpp>

namespace tempera {

template <class Archive>
void serialize(Archive& archive, RankSpan& span, unsigned) {
  archive& span.first& span.count;
}

template <class Archive>
void serialize(Archive& archive, TaskReport& report, unsigned) {
  archive& report.status& report.result& report.category& report.where& report.what_is_wrong& report.hint;
  archive& report.seconds;
}

namespace detail {

template <class Archive>
void serialize(Archive& archive, TaskSummons& summons, unsigned) {
  archive& summons.number& summons.ranks& summons.is_child& summons.order& summons.forget;
}
template <class Archive>
void serialize(Archive& archive, TaskRecall& recall, unsigned) {
  archive& recall.number;
}
template <class Archive>
void serialize(Archive& archive, TaskCancel& cancel, unsigned) {
  archive& cancel.number;
}
template <class Archive>
void serialize(Archive&, TaskLeave&, unsigned) {}
template <class Archive>
void serialize(Archive&, TaskStop&, unsigned) {}
template <class Archive>
void serialize(Archive&, TaskStopWish&, unsigned) {}
template <class Archive>
void serialize(Archive& archive, TaskEnded& ended, unsigned) {
  archive& ended.number& ended.report;
}
template <class Archive>
void serialize(Archive& archive, TaskReturned& returned, unsigned) {
  archive& returned.number;
}

std::string to_text(const TaskLetter& letter) {
  return to_tagged_blob(letter);
}

TaskLetter task_letter(const std::string& text) {
  return from_tagged_blob<TaskLetter>(text);
}

}  // namespace detail
}  // namespace tempera
