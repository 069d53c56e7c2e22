#include "drivers/run/run_frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/base/atomic_file.hpp"
#include "core/base/error.hpp"
#include "core/base/option_json.hpp"
#include "distributed/communicator/objects.hpp"
#include "drivers/run/manifest.hpp"
#include "drivers/run/profile.hpp"
#include "drivers/standard_streams.hpp"
#include "drivers/time_limit.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

}  // namespace

RunFrame::RunFrame(const Session& session, const RunRequest& request)
    : world_(session.world), signals_(session.signals), request_(request), log_(request.common.quiet) {
  if (request_.common.profile) begin_profile(world_);
}

double RunFrame::now() {
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

void RunFrame::open_folder() {
  if (!world_.is_root()) return;
  const auto say = [this](const std::string& text) { log_.warn(text); };
  const CommonOptions& common = request_.common;
  if (request_.resume)
    folder_.emplace(RunFolder::reopen(request_.resume->folder, request_.resume->manifest, say));
  else
    folder_.emplace(RunPlace{common.output, request_.command, common.overwrite, common.checkpoint_dir}, say);
}

void RunFrame::begin(const Json& more) {
  const auto hosts = host_names(world_);
  const double elapsed = std::chrono::duration<double>(Clock::now() - request_.start).count();
  std::optional<double> left;
  if (world_.is_root()) left = seconds_left(request_.schema, request_.common, elapsed);
  if (left) deadline_ = now() + *left;
  if (!folder_) return;
  Json options = options_to_json(request_.schema);
  if (request_.resume) {
    folder_->begin_again(options, {{"mpi_ranks", world_.size()}, {"generation", nullptr}});
  } else {
    Json manifest = manifest_of_build(world_.size(), hosts);
    manifest["command"] = request_.command;
    manifest["options"] = std::move(options);
    manifest["seed"] = request_.common.seed;
    manifest.update(more);
    folder_->begin(std::move(manifest));
  }
  begun_ = true;
  log_.open(*folder_ / "progress.jsonl");
}

void RunFrame::compute(const Json& configuration, const std::string& input_sha256, double bytes, RunPosition position,
                       const std::function<void(Checkpoints&)>& body) {
  std::string folder = folder_ ? folder_->checkpoints().string() : "";
  world_.broadcast_object(folder, 0);
  CheckpointStore store(folder, {configuration, input_sha256});
  ScheduleSettings schedule = parse_checkpoint_every(request_.schema, request_.common);
  schedule.deadline = deadline_;
  schedule.bytes = bytes;
  Checkpoints checkpoints(store, schedule, hooks(position));
  start_ = now();
  body(checkpoints);
  if (checkpoints.failure()) failure_ = checkpoints.failure()->where() + ": " + checkpoints.failure()->what_is_wrong();
  if (folder_) log_.finish_line();
}

void RunFrame::work(const std::function<void()>& body) {
  start_ = now();
  body();
  if (folder_) log_.finish_line();
}

void RunFrame::go_on_from_journal(double seconds_before, Json record, const std::string& line) {
  if (!folder_ || !request_.resume) return;
  seconds_before_ = seconds_before;
  start_ = now();
  log_.note(line);
  log_.record(record);
}

bool RunFrame::has_to_leave(double seconds) const {
  return signals_.local() || (deadline_ && now() + seconds > *deadline_);
}

bool RunFrame::was_lost() {
  if (folder_ && folder_->lost()) recover();
  return std::exchange(lost_, false);
}

CheckpointHooks RunFrame::hooks(const RunPosition& position) {
  CheckpointHooks hooks;
  hooks.stop_requested = [this] { return signals_.local(); };
  hooks.warn = [this](const std::string& text) { log_.warn(text); };
  hooks.progress = [this, position] { return describe(position); };
  hooks.saved = [this](const GenerationInfo& info, double seconds) {
    log_.record({{"step", "checkpoint"}, {"generation", info.number}, {"bytes", info.bytes}, {"seconds", seconds}});
  };
  hooks.restored = [this, position](const CheckpointReader* reader) { go_on_from(reader, position); };
  return hooks;
}

void RunFrame::step(Json record, const std::string& line) {
  if (!folder_) return;
  if (folder_->lost()) recover();
  record["seconds"] = seconds();
  log_.step(record, line);
}

void RunFrame::milestone(Json record, const std::string& line) {
  if (!folder_) return;
  if (folder_->lost()) recover();
  record["seconds"] = seconds();
  log_.record(record);
  log_.note(line);
}

void RunFrame::recover() {
  folder_->recover([this] {
    log_.open(*folder_ / "progress.jsonl");
    lost_ = true;
  });
}

Json RunFrame::describe(const RunPosition& position) {
  recover();
  Json progress = position.describe();
  progress["seconds"] = seconds();
  progress["log_bytes"] = log_.bytes();
  return progress;
}

/// When the state has been found. What the log says of later steps is forgotten: they come again.
void RunFrame::go_on_from(const CheckpointReader* reader, const RunPosition& position) {
  if (!request_.resume) return;
  std::int64_t keep = 0;
  Json record = {{"step", "resume"}, {"generation", nullptr}, {"mpi_ranks", world_.size()}};
  std::string line = "no checkpoint yet: from the beginning";
  if (reader != nullptr) {
    const Json& progress = reader->progress();
    position.restore(progress);
    seconds_before_ = progress.at("seconds");
    keep = progress.at("log_bytes");
    record["generation"] = reader->generation();
    folder_->resumed_from(reader->generation());
    line = fmt::format("going on from checkpoint {}: {}", reader->generation(), position.text(progress));
  }
  start_ = now();
  log_.cut(keep);
  log_.note(line);
  log_.record(record);
}

int RunFrame::leave(const std::string& where) {
  world_.broadcast_object(failure_, 0);
  if (!failure_.empty())
    throw Error(Category::environment, "", "stopped, but without a checkpoint: " + failure_,
                "mend that, then 'tempera resume' goes on from the checkpoint before, if there is one");
  if (folder_ && !request_.common.quiet && !request_.common.stage)
    print_message(fmt::format("stopped after {}; go on with: tempera resume {}\n", where, folder_->path().string()));
  return exit_status(Category::interrupted);
}

void RunFrame::deliver(const Json& summary, const std::function<std::string()>& text) const {
  const std::string for_people = text();
  write_file_atomically(*folder_ / "summary.txt", for_people);
  folder_->write_summary(summary);
  if (request_.common.json)
    print_result(summary.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  else if (!request_.common.quiet && !request_.common.stage)
    print_result(for_people);
}

void RunFrame::write_profile() const {
  if (request_.common.profile) drivers::write_profile(world_, folder_ ? *folder_ / "profile.json" : "");
}

void RunFrame::finish(int status) {
  log_.close();
  if (folder_ && begun_) folder_->finish(status);
}

void RunFrame::abandon(int status) noexcept {
  try {
    finish(status);
  } catch (...) {
  }
}

}  // namespace tempera::drivers
