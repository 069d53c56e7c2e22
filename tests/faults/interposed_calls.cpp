#include <aio.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "tests/faults/fault_plan.hpp"

// The C library's calls that change files, each put before the real one. `open` and `open64` and their like are one
// function on 64-bit systems but two names, so both stand here.

namespace {

using tempera::faults::decide;
using tempera::faults::decide_at;
using tempera::faults::Decision;
using tempera::faults::die;

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// A torn call that is no write dies before it.
template <class Real>
auto guarded(const Decision& decision, Real&& real) -> decltype(real()) {
  if (decision.error != 0) {
    errno = decision.error;
    return static_cast<decltype(real())>(-1);
  }
  if (decision.torn) die();
  const auto result = real();
  if (decision.kill_after) die();
  return result;
}

/// real(bytes) writes that many of the bytes.
template <class Real>
ssize_t guarded_write(const Decision& decision, std::size_t bytes, Real&& real) {
  if (!decision.torn) return guarded(decision, [&] { return real(bytes); });
  real(bytes / 2);
  die();
}

bool changes_files(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0;
}

/// Callers give a mode only where a file may be created.
mode_t read_mode(int flags, va_list arguments) {
  const bool given = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return given ? static_cast<mode_t>(va_arg(arguments, unsigned)) : 0;
}

int open_at(const char* name, int folder, const char* path, int flags, mode_t mode) {
  static auto* const real = next<int(int, const char*, int, ...)>("openat");
  const Decision decision = changes_files(flags) ? decide_at(name, folder, path) : Decision{};
  return guarded(decision, [&] { return real(folder, path, flags, mode); });
}

std::size_t total(const iovec* parts, int count) {
  std::size_t bytes = 0;
  for (int i = 0; i < count; ++i) bytes += parts[i].iov_len;
  return bytes;
}

/// Writes the first `bytes` of the parts with one(part, bytes before it).
template <class One>
ssize_t write_parts(const iovec* parts, int count, std::size_t bytes, One&& one) {
  std::size_t done = 0;
  for (int i = 0; i < count && done < bytes; ++i) {
    const std::size_t length = parts[i].iov_len < bytes - done ? parts[i].iov_len : bytes - done;
    one(iovec{parts[i].iov_base, length}, done);
    done += length;
  }
  return static_cast<ssize_t>(done);
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = read_mode(flags, arguments);
  va_end(arguments);
  return open_at("open", AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = read_mode(flags, arguments);
  va_end(arguments);
  return open_at("open", AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = read_mode(flags, arguments);
  va_end(arguments);
  return open_at("openat", folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = read_mode(flags, arguments);
  va_end(arguments);
  return open_at("openat", folder, path, flags, mode);
}
int creat(const char* path, mode_t mode) {
  return open_at("creat", AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}
int creat64(const char* path, mode_t mode) {
  return open_at("creat", AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}

// Streams write through functions inside the C library; opening and closing them are the steps one can see.
FILE* fopen(const char* path, const char* mode) {
  static auto* const real = next<FILE*(const char*, const char*)>("fopen");
  const Decision decision = mode[0] == 'r' && mode[1] != '+' ? Decision{} : decide("fopen", path);
  if (decision.error != 0) {
    errno = decision.error;
    return nullptr;
  }
  if (decision.torn) die();
  FILE* const file = real(path, mode);
  if (decision.kill_after) die();
  return file;
}
FILE* fopen64(const char* path, const char* mode) {
  return fopen(path, mode);
}

ssize_t write(int descriptor, const void* data, size_t bytes) {
  static auto* const real = next<ssize_t(int, const void*, size_t)>("write");
  return guarded_write(decide("write", descriptor), bytes, [&](size_t n) { return real(descriptor, data, n); });
}
ssize_t pwrite64(int descriptor, const void* data, size_t bytes, off64_t offset) {
  static auto* const real = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return guarded_write(decide("pwrite", descriptor), bytes,
                       [&](size_t n) { return real(descriptor, data, n, offset); });
}
ssize_t pwrite(int descriptor, const void* data, size_t bytes, off_t offset) {
  return pwrite64(descriptor, data, bytes, offset);
}
ssize_t writev(int descriptor, const iovec* parts, int count) {
  static auto* const real = next<ssize_t(int, const iovec*, int)>("writev");
  static auto* const one = next<ssize_t(int, const void*, size_t)>("write");
  const size_t bytes = total(parts, count);
  return guarded_write(decide("writev", descriptor), bytes, [&](size_t n) {
    if (n == bytes) return real(descriptor, parts, count);
    return write_parts(parts, count, n,
                       [&](iovec part, size_t) { return one(descriptor, part.iov_base, part.iov_len); });
  });
}
ssize_t pwritev64(int descriptor, const iovec* parts, int count, off64_t offset) {
  static auto* const real = next<ssize_t(int, const iovec*, int, off64_t)>("pwritev64");
  static auto* const one = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  const size_t bytes = total(parts, count);
  return guarded_write(decide("pwritev", descriptor), bytes, [&](size_t n) {
    if (n == bytes) return real(descriptor, parts, count, offset);
    return write_parts(parts, count, n, [&](iovec part, size_t before) {
      return one(descriptor, part.iov_base, part.iov_len, offset + static_cast<off64_t>(before));
    });
  });
}
ssize_t pwritev(int descriptor, const iovec* parts, int count, off_t offset) {
  return pwritev64(descriptor, parts, count, offset);
}
int aio_write(aiocb* request) {
  static auto* const real = next<int(aiocb*)>("aio_write");
  static auto* const one = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  const Decision decision = decide("aio_write", request->aio_fildes);
  if (decision.torn) {
    one(request->aio_fildes, const_cast<const void*>(request->aio_buf), request->aio_nbytes / 2, request->aio_offset);
    die();
  }
  return guarded(decision, [&] { return real(request); });
}

int ftruncate64(int descriptor, off64_t length) {
  static auto* const real = next<int(int, off64_t)>("ftruncate64");
  return guarded(decide("ftruncate", descriptor), [&] { return real(descriptor, length); });
}
int ftruncate(int descriptor, off_t length) {
  return ftruncate64(descriptor, length);
}
int truncate64(const char* path, off64_t length) {
  static auto* const real = next<int(const char*, off64_t)>("truncate64");
  return guarded(decide("truncate", path), [&] { return real(path, length); });
}
int truncate(const char* path, off_t length) {
  return truncate64(path, length);
}
int posix_fallocate64(int descriptor, off64_t offset, off64_t length) {
  static auto* const real = next<int(int, off64_t, off64_t)>("posix_fallocate64");
  const Decision decision = decide("posix_fallocate", descriptor);
  if (decision.error != 0) return decision.error;  // this one returns its errno
  return guarded(decision, [&] { return real(descriptor, offset, length); });
}
int posix_fallocate(int descriptor, off_t offset, off_t length) {
  return posix_fallocate64(descriptor, offset, length);
}

int fsync(int descriptor) {
  static auto* const real = next<int(int)>("fsync");
  return guarded(decide("fsync", descriptor), [&] { return real(descriptor); });
}
int fdatasync(int descriptor) {
  static auto* const real = next<int(int)>("fdatasync");
  return guarded(decide("fdatasync", descriptor), [&] { return real(descriptor); });
}
/// The descriptor is closed even when the call reports an error, as on Linux.
int close(int descriptor) {
  static auto* const real = next<int(int)>("close");
  const Decision decision = tempera::faults::is_written(descriptor) ? decide("close", descriptor) : Decision{};
  if (decision.error != 0) real(descriptor);
  return guarded(decision, [&] { return real(descriptor); });
}

int rename(const char* from, const char* to) {
  static auto* const real = next<int(const char*, const char*)>("rename");
  return guarded(decide("rename", from, to), [&] { return real(from, to); });
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) {
  static auto* const real = next<int(int, const char*, int, const char*)>("renameat");
  return guarded(decide_at("renameat", from_folder, from, to_folder, to),
                 [&] { return real(from_folder, from, to_folder, to); });
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  static auto* const real = next<int(int, const char*, int, const char*, unsigned)>("renameat2");
  return guarded(decide_at("renameat2", from_folder, from, to_folder, to),
                 [&] { return real(from_folder, from, to_folder, to, flags); });
}
int link(const char* from, const char* to) {
  static auto* const real = next<int(const char*, const char*)>("link");
  return guarded(decide("link", from, to), [&] { return real(from, to); });
}
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) {
  static auto* const real = next<int(int, const char*, int, const char*, int)>("linkat");
  return guarded(decide_at("linkat", from_folder, from, to_folder, to),
                 [&] { return real(from_folder, from, to_folder, to, flags); });
}
int unlink(const char* path) {
  static auto* const real = next<int(const char*)>("unlink");
  return guarded(decide("unlink", path), [&] { return real(path); });
}
int unlinkat(int folder, const char* path, int flags) {
  static auto* const real = next<int(int, const char*, int)>("unlinkat");
  return guarded(decide_at("unlinkat", folder, path), [&] { return real(folder, path, flags); });
}
int remove(const char* path) {
  static auto* const real = next<int(const char*)>("remove");
  return guarded(decide("remove", path), [&] { return real(path); });
}
int mkdir(const char* path, mode_t mode) {
  static auto* const real = next<int(const char*, mode_t)>("mkdir");
  return guarded(decide("mkdir", path), [&] { return real(path, mode); });
}
int mkdirat(int folder, const char* path, mode_t mode) {
  static auto* const real = next<int(int, const char*, mode_t)>("mkdirat");
  return guarded(decide_at("mkdirat", folder, path), [&] { return real(folder, path, mode); });
}
int rmdir(const char* path) {
  static auto* const real = next<int(const char*)>("rmdir");
  return guarded(decide("rmdir", path), [&] { return real(path); });
}

}  // extern "C"
#pragma GCC visibility pop
