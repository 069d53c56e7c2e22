#include "core/io/detail/line_blocks.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace tempera::detail {

namespace {
constexpr std::size_t kSmallestBlock = 16;

/// Position after the first newline at or after `from`, 0 if there is none before `size`.
std::size_t after_newline(const char* text, std::size_t from, std::size_t size) {
  if (from >= size) return 0;
  const void* found = std::memchr(text + from, '\n', size - from);
  return found == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(found) - text) + 1;
}

/// Position after the last newline before `size`, 0 if there is none.
std::size_t after_last_newline(const char* text, std::size_t size) {
  while (size > 0 && text[size - 1] != '\n') --size;
  return size;
}
}  // namespace

// A range starts reading one byte early: if that byte is a newline, the first line of the range is its own.
LineBlocks::LineBlocks(const std::filesystem::path& path, std::int64_t begin, std::int64_t end, std::size_t block_bytes)
    : source_(open_file_source(path, std::max<std::int64_t>(begin - 1, 0))),
      buffer_(std::max(block_bytes, kSmallestBlock)),
      position_(std::max<std::int64_t>(begin - 1, 0)),
      end_(end),
      at_line_start_(begin <= 0) {}

LineBlocks::LineBlocks(const std::filesystem::path& gzip_path, std::size_t block_bytes)
    : source_(open_gzip_source(gzip_path)),
      buffer_(std::max(block_bytes, kSmallestBlock)),
      position_(0),
      end_(std::numeric_limits<std::int64_t>::max()),
      at_line_start_(true),
      is_gzip_(true) {}

void LineBlocks::fill() {
  if (at_end_of_source_) return;
  const std::size_t room = buffer_.size() - 1 - filled_;  // one byte is kept for a missing last newline
  const std::size_t got = source_->read({buffer_.data() + filled_, room});
  filled_ += got;
  if (got == room) return;
  at_end_of_source_ = true;
  if (filled_ > 0 && buffer_[filled_ - 1] != '\n') buffer_[filled_++] = '\n';
}

void LineBlocks::drop(std::size_t bytes) {
  filled_ -= bytes;
  position_ += static_cast<std::int64_t>(bytes);
  std::memmove(buffer_.data(), buffer_.data() + bytes, filled_);
}

bool LineBlocks::skip_partial_line() {
  while (position_ < end_) {
    fill();
    if (filled_ == 0) return false;
    const std::size_t start = after_newline(buffer_.data(), 0, filled_);
    drop(start == 0 ? filled_ : start);
    if (start != 0) return true;
  }
  return false;
}

std::size_t LineBlocks::owned_bytes() const {
  const auto left = static_cast<std::size_t>(std::max<std::int64_t>(end_ - position_, 1));
  if (filled_ >= left) {
    const std::size_t cut = after_newline(buffer_.data(), left - 1, filled_);
    if (cut != 0) return cut;
  }
  return after_last_newline(buffer_.data(), filled_);
}

void LineBlocks::check_rest_of_gzip() {
  if (!is_gzip_ || at_end_of_source_) return;
  std::vector<char> ignored(buffer_.size());
  while (source_->read(ignored) == ignored.size()) {
  }
  at_end_of_source_ = true;
}

std::string_view LineBlocks::next() {
  drop(handed_out_);
  handed_out_ = 0;
  if (!at_line_start_ && !overlong_) {
    if (!skip_partial_line()) return {};
    at_line_start_ = true;
  }
  if (at_line_start_ && position_ >= end_) return {};
  for (;;) {
    fill();
    if (filled_ == 0) return {};
    handed_out_ = owned_bytes();
    if (handed_out_ != 0) break;
    if (buffer_.size() >= kLongestLine) {
      overlong_ = true;
      at_line_start_ = false;
      handed_out_ = filled_;
      return {buffer_.data(), handed_out_};
    }
    buffer_.resize(std::min(2 * buffer_.size(), kLongestLine));
  }
  at_line_start_ = true;
  return {buffer_.data(), handed_out_};
}

}  // namespace tempera::detail
