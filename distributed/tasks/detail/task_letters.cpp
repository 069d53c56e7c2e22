#include "distributed/tasks/detail/task_letters.hpp"

#include <boost/serialization/vector.hpp>
#include <utility>

#include "core/base/contract.hpp"

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
  return static_cast<char>(letter.index()) + std::visit([](const auto& content) { return to_blob(content); }, letter);
}

namespace {

template <std::size_t... Kinds>
TaskLetter letter_of_kind(std::size_t kind, const std::string& blob, std::index_sequence<Kinds...>) {
  TaskLetter letter;
  const bool known = ((kind == Kinds &&
                       (letter.emplace<Kinds>(from_blob<std::variant_alternative_t<Kinds, TaskLetter>>(blob)), true)) ||
                      ...);
  TEMPERA_EXPECTS(known);
  static_cast<void>(known);
  return letter;
}

}  // namespace

TaskLetter task_letter(const std::string& text) {
  return letter_of_kind(static_cast<std::size_t>(text.at(0)), text.substr(1),
                        std::make_index_sequence<std::variant_size_v<TaskLetter>>());
}

}  // namespace detail
}  // namespace tempera
