#include "distributed/checkpoint/detail/raw_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/sha256.hpp"
#include "core/base/system_error.hpp"

namespace tempera::detail {

namespace {

int flags_of(RawFile::Mode mode) {
  switch (mode) {
    case RawFile::Mode::read: return O_RDONLY;
    case RawFile::Mode::write_existing: return O_RDWR;
    case RawFile::Mode::create: return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

}  // namespace

RawFile::RawFile(std::filesystem::path path, Mode mode) : path_(std::move(path)), mode_(mode) {
  descriptor_ = ::open(path_.c_str(), flags_of(mode) | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(errno);
}

void RawFile::reopen() {
  RawFile again(path_, mode_);
  std::swap(descriptor_, again.descriptor_);
}

RawFile::~RawFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RawFile::fail(int error_number) const {
  if (mode_ != Mode::read) throw write_error(path_, error_number);
  throw Error(Category::input, path_.string(), fmt::format("cannot be read: {}", std::strerror(error_number)));
}

std::int64_t RawFile::size() const {
  struct stat facts {};
  if (::fstat(descriptor_, &facts) != 0) fail(errno);
  return facts.st_size;
}

void RawFile::read(std::int64_t offset, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(descriptor_, bytes.data(), bytes.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(errno);
    if (count == 0) throw Error(Category::input, path_.string(), fmt::format("is cut short after {} bytes", offset));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += count;
  }
}

void RawFile::write(std::int64_t offset, std::span<const std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail(count < 0 ? errno : EIO);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += count;
  }
}

void RawFile::resize(std::int64_t bytes) const {
  if (::ftruncate(descriptor_, bytes) != 0) fail(errno);
}

void RawFile::sync() const {
  if (::fsync(descriptor_) != 0) fail(errno);
}

void RawFile::close() {
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
}

std::string sha256(std::span<const std::byte> bytes) {
  Sha256 sha;
  sha.update(bytes);
  return sha.hex();
}

}  // namespace tempera::detail
