#include "drivers/master/study_run.hpp"

#include <fmt/format.h>

#include "core/base/atomic_file.hpp"
#include "core/base/file_bytes.hpp"
#include "core/base/sha256.hpp"
#include "core/base/text.hpp"
#include "distributed/communicator/objects.hpp"
#include "distributed/tasks/run_tasks.hpp"
#include "drivers/master/command_stages.hpp"
#include "drivers/master/study_report.hpp"
#include "drivers/master/study_source.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kFewRuns = 40;
constexpr double kWayOut = 2;  // seconds: the end of commands, and of MPI

/// What a study does within the frame of its run. Lives on every rank.
class StudyRun {
 public:
  StudyRun(const Session& session, const StudyTask& task, int ranks_on_node)
      : world_(session.world),
        task_(task),
        graph_(task.graph),
        context_{task.graph,
                 {},
                 session.signals,
                 task.start,
                 task.common.time_limit,
                 ranks_on_node,
                 session.world.size(),
                 task.common.quiet},
        sizes_(session.world.size() == task.planned_ranks ? task.sizes : validate(task.graph, session.world.size())),
        frame_(session, {"run", task.common, task.schema, task.start, task.resume}) {}

  RunFrame& frame() { return frame_; }
  int recorded(int status) const { return failed_ ? exit_status(*failed_) : status; }

  int run() {
    frame_.open_folder();
    begin();
    std::optional<StudyJournal> journal;
    std::optional<StudySource> source;
    if (RunFolder* const folder = frame_.folder(); folder != nullptr) {
      journal.emplace(graph_, *folder / "journal.jsonl", sha256_of_file(graph_.study.file), world_.size());
      source.emplace(context_, sizes_, *journal, observer(*journal));
      if (frame_.resumed()) go_on(*journal);
    }
    frame_.work([&] {
      CommandStages commands(context_);
      run_tasks(
          world_, source ? &*source : nullptr,
          [this](const std::string& order, const Communicator& group) {
            return std::to_string(run_stage(context_, from_blob<StageOrder>(order), group));
          },
          &commands, &context_.signals);
    });
    if (journal) journal->sync();
    const bool left = world_.broadcast_value(source && source->left() ? 1 : 0, 0) != 0;
    if (left)
      return frame_.leave(fmt::format("{} of {} runs", journal ? journal->record().count(InstanceState::done) : 0,
                                      graph_.instances.size()));
    if (source) deliver(*journal, *source);
    return 0;
  }

 private:
  void begin() {
    const Study& study = graph_.study;
    Json input = nullptr;
    if (world_.is_root())
      input = {{"path", std::filesystem::absolute(study.file).lexically_normal().string()},
               {"sha256", sha256_of_file(study.file)}};
    frame_.begin({{"input", std::move(input)},
                  {"study_folder", std::filesystem::absolute(study.folder).lexically_normal().string()}});
    std::string folder;
    if (frame_.folder() != nullptr) {
      folder = frame_.folder()->path().string();
      text_ = file_bytes(study.file);
      const std::filesystem::path copy = *frame_.folder() / "study.toml";
      if (!frame_.resumed() || !std::filesystem::exists(copy)) write_file_atomically(copy, text_);
    }
    world_.broadcast_object(folder, 0);
    context_.folder = folder;
  }

  void go_on(StudyJournal& journal) {
    const std::size_t done = journal.record().count(InstanceState::done);
    frame_.go_on_from_journal(journal.seconds_before(),
                              {{"step", "resume"}, {"done", done}, {"mpi_ranks", world_.size()}},
                              fmt::format("going on: {} of {} runs are done", done, graph_.instances.size()));
  }

  StudyObserver observer(StudyJournal& journal) {
    StudyObserver observer;
    observer.stop_requested = [this, &journal] {
      if (frame_.was_lost()) {
        write_file_atomically(*frame_.folder() / "study.toml", text_);
        journal.restore();
      }
      return frame_.has_to_leave(kWayOut);
    };
    observer.started = [this](std::size_t instance, RankSpan ranks) {
      const std::string& name = graph_.instances[instance].name;
      show({{"step", "start"}, {"run", name}, {"first_rank", ranks.first}, {"ranks", ranks.count}},
           fmt::format("{} begins on {}", name, ranks_text(ranks, world_.size())));
    };
    observer.ended = [this, &journal](std::size_t instance) {
      const InstanceRecord& record = journal.record()[instance];
      const std::string& name = graph_.instances[instance].name;
      const char* const status = status_name(record);
      std::string line = fmt::format("{} {} after {}", name, status, human_duration(record.seconds));
      if (record.state == InstanceState::failed) line = fmt::format("{} {}: {}", name, status, record.what);
      show({{"step", "end"}, {"run", name}, {"status", status}}, line);
    };
    return observer;
  }

  /// Every begin and end of a small study; of a large one as many as people can read.
  void show(Json record, const std::string& line) {
    if (graph_.instances.size() <= kFewRuns)
      frame_.milestone(std::move(record), line);
    else
      frame_.step(std::move(record), line);
  }

  void deliver(const StudyJournal& journal, const StudySource& source) {
    const StudyFacts facts{graph_, journal.record(), source.results(), world_.size(), frame_.seconds()};
    frame_.deliver(study_summary(facts), [&] { return study_text(facts, context_.folder.string()); });
    const auto failure = first_failure(facts);
    if (!failure) return;
    failed_ = failure->category();
    throw Error(
        failure->category(), failure->where(), failure->what_is_wrong(),
        fmt::format("mend that, then 'tempera resume {}' runs what has not ended well", context_.folder.string()));
  }

  const Communicator& world_;
  const StudyTask& task_;
  const StudyGraph& graph_;
  StudyContext context_;
  std::vector<RunSize> sizes_;
  std::string text_;
  std::optional<Category> failed_;
  RunFrame frame_;
};

}  // namespace

int conduct_study(const Launch& launch, const StudyTask& task) {
  return run_session(launch, [&](const Session& session) {
    const LaunchFacts facts = begin_computation(session.world, launch, task.common.threads, task.common.quiet);
    StudyRun run(session, task, facts.ranks_on_node);
    return run_framed(session.world, run);
  });
}

}  // namespace tempera::drivers
