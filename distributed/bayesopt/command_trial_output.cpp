#include "distributed/bayesopt/command_trial_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/base/system_error.hpp"

namespace tempera {

namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr int kChunksARead = 16;

void close_once(int& descriptor) {
  if (descriptor >= 0) ::close(descriptor);
  descriptor = -1;
}

}  // namespace

TrialOutput::TrialOutput(std::filesystem::path file, Index cap) : file_(std::move(file)), half_(cap / 2) {
  TEMPERA_EXPECTS(cap >= 2);
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw Error(Category::environment, file_.string(), "no pipe can be opened for the trial's output",
                "allow more open files: ulimit -n");
  reading_end_ = ends[0];
  writing_end_ = ends[1];
  ::fcntl(reading_end_, F_SETFL, O_NONBLOCK);  // the child's end stays as programs expect it
  ::fcntl(reading_end_, F_SETPIPE_SZ,
          static_cast<int>(kChunk) * kChunksARead);  // so that few reads will do; may be refused
}

TrialOutput::~TrialOutput() {
  close_once(reading_end_);
  close_once(writing_end_);
  close_once(descriptor_);
}

void TrialOutput::close_writing_end() {
  close_once(writing_end_);
}

void TrialOutput::read() {
  for (int i = 0; i < kChunksARead && read_some(); ++i) {
  }
}

bool TrialOutput::read_some() {
  if (reading_end_ < 0) return false;
  std::array<char, kChunk> chunk;
  const ssize_t count = ::read(reading_end_, chunk.data(), chunk.size());
  if (count > 0) keep(chunk.data(), count);
  if (count == 0) close_once(reading_end_);
  return count > 0 || (count < 0 && errno == EINTR);
}

void TrialOutput::keep(const char* bytes, Index count) {
  if (total_ < half_) write(bytes, std::min(count, half_ - total_));
  total_ += count;
  recent_.append(bytes, static_cast<std::size_t>(count));
  if (std::ssize(recent_) > 2 * half_)  // seldom, so that long output costs one copy of a byte
    recent_.erase(0, recent_.size() - static_cast<std::size_t>(half_));
}

void TrialOutput::write(const char* bytes, Index count) {
  if (descriptor_ < 0) {
    descriptor_ = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor_ < 0) throw write_error(file_, errno);
  }
  const int problem = write_all(descriptor_, {bytes, static_cast<std::size_t>(count)});
  if (problem != 0) throw write_error(file_, problem);
}

void TrialOutput::finish() {
  read();
  close_once(reading_end_);
  if (std::ssize(recent_) > half_) recent_.erase(0, recent_.size() - static_cast<std::size_t>(half_));
  const Index kept_from = total_ - std::ssize(recent_);
  if (kept_from > half_) {
    const std::string gap = fmt::format("\n[tempera: {} bytes are left out here]\n", kept_from - half_);
    write(gap.data(), std::ssize(gap));
  }
  const Index written = std::min(total_, half_);
  const Index known = std::max(written - kept_from, Index{0});  // of the recent bytes, those in the file already
  if (known < std::ssize(recent_)) write(recent_.data() + known, std::ssize(recent_) - known);
  close_once(descriptor_);
}

}  // namespace tempera
