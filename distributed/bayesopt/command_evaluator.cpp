#include "distributed/bayesopt/command_evaluator.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/base/contract.hpp"
#include "distributed/bayesopt/command_trial_processes.hpp"
#include "distributed/communicator/objects.hpp"

namespace tempera {

namespace {
constexpr int kLooks = 200;               // for the end of those that were asked to end
constexpr timespec kPause{0, 5'000'000};  // between them: a second together

std::string own_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}
}  // namespace

CommandEvaluator::CommandEvaluator(const TrialCommand& command, const Space& space, std::filesystem::path folder,
                                   Index slots, CommandTrialOptions options)
    : command_(command),
      space_(space),
      folder_(std::filesystem::absolute(folder).lexically_normal()),
      slots_(slots),
      options_(std::move(options)) {
  kill_strays(folder_);
}

void CommandEvaluator::join(const Communicator& group) {
  const std::vector<std::string> hosts = group.gather_objects(own_host(), 0);
  options_.environment.emplace_back("TEMPERA_RANKS", std::to_string(group.size()));
  options_.environment.emplace_back("TEMPERA_NODES", fmt::format("{}", fmt::join(hosts, ",")));
}

std::filesystem::path CommandEvaluator::folder_of(const std::filesystem::path& folder, Index number) {
  return folder / fmt::format("{:06}", number);
}

void CommandEvaluator::begin(const TrialRequest& request) {
  TEMPERA_EXPECTS(std::ssize(running_) < slots_);
  CommandTrialOptions options = options_;
  options.environment.emplace_back("TEMPERA_TRIAL_NUMBER", std::to_string(request.number));
  options.environment.emplace_back("TEMPERA_TRIAL_ATTEMPT", std::to_string(request.attempt));
  options.environment.emplace_back("TEMPERA_TRIAL_SEED", std::to_string(request.seed));
  running_.push_back(
      {request.number, request.attempt,
       std::make_unique<CommandTrial>(command_, space_, request.point, folder_of(folder_, request.number), options)});
}

std::optional<TrialAnswer> CommandEvaluator::poll() {
  std::optional<std::size_t> ended;
  for (std::size_t k = 0; k < running_.size(); ++k)
    if (running_[k].trial->poll() && !ended) ended = k;
  if (!ended) return std::nullopt;
  const Running& running = running_[*ended];
  TrialAnswer answer{running.number, running.attempt, running.trial->result()};
  running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(*ended));
  return answer;
}

void CommandEvaluator::cancel() {
  for (const Running& running : running_) running.trial->cancel();
  for (int look = 0; look < kLooks && !running_.empty(); ++look) {
    std::erase_if(running_, [](const Running& running) { return running.trial->poll(); });
    if (!running_.empty()) ::nanosleep(&kPause, nullptr);
  }
  running_.clear();
}

}  // namespace tempera
