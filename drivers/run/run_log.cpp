#include "drivers/run/run_log.hpp"

#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/base/system_error.hpp"
#include "drivers/standard_streams.hpp"

namespace tempera::drivers {

void RunLog::open(const std::filesystem::path& file) {
  ProgressSettings settings;
  settings.quiet = quiet_;
  settings.log = file;
  settings.live = is_terminal(stderr);
  progress_.reset();
  progress_.emplace(std::move(settings));
  file_ = file;
}

std::int64_t RunLog::bytes() const {
  std::error_code error;
  const auto size = std::filesystem::file_size(file_, error);
  return error ? 0 : static_cast<std::int64_t>(size);
}

void RunLog::cut(std::int64_t bytes) {
  if (this->bytes() > bytes && ::truncate(file_.c_str(), bytes) != 0) throw write_error(file_, errno);
}

void RunLog::step(const nlohmann::ordered_json& record, std::string line) {
  try {
    progress_->step(record, std::move(line));
  } catch (const Error& error) {
    if (!warned_) warn(error.where() + ": " + error.what_is_wrong() + "; the run goes on, steps will be missing there");
    warned_ = true;
  }
}

void RunLog::record(const nlohmann::ordered_json& record) {
  try {
    progress_->record(record);
  } catch (const Error&) {  // the steps around it say so
  }
}

void RunLog::note(const std::string& line) {
  progress_->note(line);
}

void RunLog::warn(const std::string& text) {
  if (quiet_) return;
  if (progress_)
    progress_->note("tempera: warning: " + text);
  else
    print_message("tempera: warning: " + text + "\n");
}

void RunLog::finish_line() {
  progress_->finish();
}

}  // namespace tempera::drivers
