#include "distributed/checkpoint/checkpoints.hpp"

#include <fmt/format.h>

#include <chrono>

namespace tempera {

Checkpoints::Checkpoints(CheckpointStore& store, const ScheduleSettings& schedule, CheckpointHooks hooks)
    : store_(store), schedule_(schedule), hooks_(std::move(hooks)), periodic_(schedule.periodic) {}

StepWish Checkpoints::before_step(const Communicator& ranks) {
  StepWish wish;
  if (ranks.is_root()) wish = schedule_.before_step();
  if (hooks_.stop_requested && hooks_.stop_requested()) wish.stop = true;
  return wish;
}

bool Checkpoints::save(const Communicator& ranks, const std::function<void(CheckpointWriter&)>& parts) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto region = ranks.regions().open("checkpoint");
  failure_.reset();
  nlohmann::ordered_json progress;
  if (ranks.is_root() && hooks_.progress) progress = hooks_.progress();
  try {
    newest_ = store_.write(ranks, progress, parts);
  } catch (const Error& error) {
    if (error.category() != Category::environment) throw;
    failure_ = error;
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  schedule_.saved(seconds);
  if (!ranks.is_root()) return !failure_;
  if (failure_ && hooks_.warn)
    hooks_.warn(fmt::format(
        "no checkpoint: {}: {}; the run goes on, {}, and it will be tried again", failure_->where(),
        failure_->what_is_wrong(),
        newest_ ? fmt::format("generation {} is still there", newest_->number) : std::string("there is none yet")));
  if (!failure_ && hooks_.saved) hooks_.saved(*newest_, seconds);
  return !failure_;
}

void Checkpoints::save_end(const Communicator& ranks, const std::function<void(CheckpointWriter&)>& parts) {
  if (periodic_) save(ranks, parts);
}

std::optional<CheckpointReader> Checkpoints::restore(const Communicator& ranks) {
  auto reader = store_.open_newest(ranks, hooks_.warn);
  if (reader) newest_ = GenerationInfo{reader->generation(), {}, reader->progress(), 0};
  return reader;
}

}  // namespace tempera
