#include "distributed/checkpoint/checkpoint_schedule.hpp"

#include <algorithm>
#include <chrono>

namespace tempera {

namespace {

constexpr double kDefaultSeconds = 60;
constexpr double kCostFactor = 50;       // 1/51 of the time at most: less than 2 %
constexpr double kBytesPerSecond = 5e7;  // of a slow shared file system
constexpr double kSecondsToLeave = 2;    // folder, MPI_Finalize, launcher
constexpr double kFirstShare = 0.1;      // of the time until the deadline, after which a checkpoint is timed
constexpr double kForget = 0.9;          // of a longest time, each time

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

CheckpointSchedule::CheckpointSchedule(ScheduleSettings settings) : settings_(std::move(settings)) {
  if (!settings_.clock) settings_.clock = steady_seconds;
  begin_ = last_save_ = settings_.clock();
}

double CheckpointSchedule::interval() const {
  double seconds = settings_.seconds.value_or(std::max(kDefaultSeconds, kCostFactor * cost_));
  if (settings_.deadline && !measured_) seconds = std::min(seconds, kFirstShare * (*settings_.deadline - begin_));
  return seconds;
}

double CheckpointSchedule::time_to_leave() const {
  const double checkpoint = measured_ ? 2 * cost_ : 1 + settings_.bytes / kBytesPerSecond;
  return 2.5 * step_ + checkpoint + kSecondsToLeave;
}

StepWish CheckpointSchedule::before_step() {
  const double now = settings_.clock();
  if (step_begin_ >= 0) {
    step_ = std::max(now - step_begin_ - saving_, kForget * step_);
    ++steps_since_save_;
  }
  step_begin_ = now;
  saving_ = 0;
  StepWish wish;
  wish.stop = settings_.deadline && now + time_to_leave() > *settings_.deadline;
  // A step that begins now is the one after which the checkpoint is written.
  if (settings_.periodic && settings_.steps)
    wish.save = steps_since_save_ + 1 >= *settings_.steps;
  else if (settings_.periodic)
    wish.save = now - last_save_ >= interval();
  return wish;
}

void CheckpointSchedule::saved(double seconds) {
  cost_ = std::max(seconds, kForget * cost_);
  measured_ = true;
  saving_ += seconds;
  last_save_ = settings_.clock();
  steps_since_save_ = -1;  // the step that has just ended is counted when the next begins
}

}  // namespace tempera
