#include "core/base/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/system_error.hpp"

namespace tempera {

namespace {

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

}  // namespace

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}

AtomicFile::AtomicFile(std::filesystem::path destination) : destination_(std::move(destination)) {
  for (int attempt = 0; descriptor_ < 0; ++attempt) {
    temporary_ = folder_of(destination_) /
                 fmt::format(".{}.partial-{}-{}", destination_.filename().string(), ::getpid(), attempt);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) throw write_error(destination_, errno);
  }
}

AtomicFile::~AtomicFile() {
  discard();
}

void AtomicFile::discard() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
  descriptor_ = -1;
}

void AtomicFile::fail(int error_number) {
  discard();
  throw write_error(destination_, error_number);
}

void AtomicFile::write(std::string_view bytes) {
  if (const int problem = write_all(descriptor_, bytes); problem != 0) fail(problem);
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail(errno);
  if (::rename(temporary_.c_str(), destination_.c_str()) != 0) fail(errno);
  ::close(descriptor_);
  descriptor_ = -1;
  sync_folder(folder_of(destination_));
}

void write_file_atomically(const std::filesystem::path& destination, std::string_view text) {
  AtomicFile file(destination);
  file.write(text);
  file.commit();
}

}  // namespace tempera
