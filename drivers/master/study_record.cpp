#include "drivers/master/study_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

JournalFile opened(const std::filesystem::path& path, std::vector<Json>& entries) {
  std::error_code error;
  return std::filesystem::exists(path, error) ? JournalFile::reopen(path, entries) : JournalFile::create(path);
}

void apply_all(StudyRecord& record, const std::filesystem::path& path, const std::vector<Json>& entries) {
  for (std::size_t line = 0; line < entries.size(); ++line) try {
      record.apply(entries[line]);
    } catch (const std::exception&) {
      JournalFile::damaged(path, line + 1, "is no event of this study");
    }
}

}  // namespace

StudyRecord::StudyRecord(const StudyGraph& graph) : instances_(graph.instances.size()) {
  for (std::size_t i = 0; i < graph.instances.size(); ++i) numbers_[graph.instances[i].name] = i;
}

std::size_t StudyRecord::count(InstanceState state) const {
  return static_cast<std::size_t>(std::ranges::count(instances_, state, &InstanceRecord::state));
}

void StudyRecord::apply(const Json& event) {
  const std::string kind = event.at("event");
  seconds_ = event.at("at_seconds");
  if (kind == "begin") {
    sha256_ = event.at("study_sha256");
    return;
  }
  if (kind == "session") {
    mpi_ranks_ = event.at("mpi_ranks");
    ++sessions_;
    for (InstanceRecord& one : instances_)
      if (one.state != InstanceState::done)
        one = {InstanceState::waiting, one.ranks, 0, one.seconds, {}, {}, {}, false};
    return;
  }
  const std::size_t instance = numbers_.at(event.at("run"));
  InstanceRecord& one = instances_[instance];
  if (kind == "start") {
    one.state = InstanceState::running;
    one.ranks = RankSpan{event.at("first_rank"), event.at("ranks")};
    one.began = seconds_;
    return;
  }
  if (kind != "end") throw std::invalid_argument("unknown event " + kind);
  const std::string status = event.at("status");
  if (one.state == InstanceState::running && one.ranks)
    spans_.push_back({instance, *one.ranks, one.began, seconds_, sessions_, mpi_ranks_});
  one.seconds += event.at("seconds").get<double>();
  if (status == "done") {
    one.state = InstanceState::done;
  } else if (status == "left") {
    one.state = InstanceState::waiting;
  } else if (status == "failed" || status == "skipped") {
    one.state = InstanceState::failed;
    one.skipped = status == "skipped";
    one.category = static_cast<Category>(event.at("category").get<int>());
    one.where = event.at("where");
    one.what = event.at("what");
  } else {
    throw std::invalid_argument("unknown status " + status);
  }
}

StudyJournal::StudyJournal(const StudyGraph& graph, const std::filesystem::path& path, const std::string& study_sha256,
                           int mpi_ranks)
    : graph_(graph), record_(graph), file_([&] {
        std::vector<Json> entries;
        JournalFile file = opened(path, entries);
        apply_all(record_, path, entries);
        return file;
      }()) {
  seconds_before_ = record_.seconds();
  if (record_.study_sha256().empty())
    append({{"event", "begin"}, {"study_sha256", study_sha256}}, 0);
  else if (record_.study_sha256() != study_sha256)
    throw Error(Category::input, path.string(), "is of another study than the study.toml beside it",
                "restore that file, or begin a new run");
  append({{"event", "session"}, {"mpi_ranks", mpi_ranks}}, 0);
}

void StudyJournal::append(Json event, double seconds) {
  Json line = {{"at_seconds", seconds_before_ + seconds}};
  line.update(event);
  file_.append(line);
  record_.apply(line);
}

void StudyJournal::start(std::size_t instance, RankSpan ranks, double seconds) {
  append({{"event", "start"},
          {"run", graph_.instances[instance].name},
          {"first_rank", ranks.first},
          {"ranks", ranks.count}},
         seconds);
}

void StudyJournal::end(std::size_t instance, const char* status, double seconds, double took, const Error* failure) {
  Json event = {{"event", "end"}, {"run", graph_.instances[instance].name}, {"status", status}, {"seconds", took}};
  if (failure != nullptr) {
    event["category"] = static_cast<int>(failure->category());
    event["where"] = failure->where();
    event["what"] = failure->what_is_wrong();
  }
  append(std::move(event), seconds);
}

}  // namespace tempera::drivers
