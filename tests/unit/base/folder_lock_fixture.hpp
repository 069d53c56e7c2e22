#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/detail/lock_record.hpp"
#include "core/base/error.hpp"
#include "core/base/folder_lock.hpp"
#include "tests/support/data.hpp"

namespace tempera {

inline constexpr unsigned kChildSeconds = 60;
inline constexpr LockSettings kImpatient{.heartbeat_seconds = 10, .stale_seconds = 0.05, .poll_seconds = 0.001};
/// Far longer than a test may take: what passes with it did not wait.
inline constexpr LockSettings kPatient{.heartbeat_seconds = 10, .stale_seconds = 1e6, .poll_seconds = 0.001};

class FolderLocks : public testing::Test {
 protected:
  static constexpr const char* kCommand = "tempera decompose";

  std::filesystem::path lock_file() const { return folder_ / "lock"; }
  nlohmann::ordered_json lock_json() const { return nlohmann::ordered_json::parse(test::read_text(lock_file())); }
  /// A sound lock of this process; it may be changed and written anywhere.
  nlohmann::ordered_json sound_lock() const {
    return nlohmann::ordered_json::parse(detail::lock_text(detail::this_process(kCommand)).text);
  }
  nlohmann::ordered_json dead_lock() const {
    auto json = sound_lock();
    json["process_start"] = json["process_start"].get<std::uint64_t>() + 1;
    return json;
  }
  nlohmann::ordered_json foreign_lock() const {
    auto json = sound_lock();
    json["host"] = "node7";
    json["pid"] = 1234;
    json["started"] = "2026-01-31T12:34:56Z";
    return json;
  }
  std::filesystem::path write(const std::string& text, const std::string& name = "lock") const {
    return test::write_text(folder_ / name, text);
  }
  static void make_old(const std::filesystem::path& file, double seconds) {
    timespec times[2];
    ::clock_gettime(CLOCK_REALTIME, &times[0]);
    times[0].tv_sec -= static_cast<time_t>(seconds);
    times[1] = times[0];
    ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }
  FolderLock::Say listen() {
    return [this](const std::string& text) { said_.push_back(text); };
  }
  std::string refusal(const LockSettings& settings, FolderLock::Say say = {}) const {
    return message_of([&] { const FolderLock lock(folder_.path(), kCommand, settings, say); });
  }
  static std::string message_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return exit_status(error.category()) == 5 ? error.message() : "not an environment error";
    }
    return "";
  }
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      found.push_back(entry.path().filename());
    return found;
  }
  template <class Condition>
  static bool eventually(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(kChildSeconds);
    while (!condition())
      if (std::chrono::steady_clock::now() > end) return false;
    return true;
  }

  test::TemporaryFolder folder_;
  std::vector<std::string> said_;
};

}  // namespace tempera
