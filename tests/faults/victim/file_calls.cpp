// file_calls FOLDER: makes each call that fault injection knows once and prints "NUMBER NAME ok" or the error of it.
#include <aio.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace {

int number = 0;

void report(const char* name, long result) {
  std::printf("%d %s %s\n", ++number, name, result >= 0 ? "ok" : ::strerrorname_np(errno));
  std::fflush(stdout);
}

int opened(const char* name, int descriptor) {
  report(name, descriptor);
  return descriptor;
}

long finished(aiocb& request) {
  const aiocb* const waited[] = {&request};
  while (::aio_error(&request) == EINPROGRESS) ::aio_suspend(waited, 1, nullptr);
  return ::aio_return(&request);
}

void write_in_every_way(const std::string& file) {
  char text[] = "0123456789";
  iovec parts[] = {{text, 4}, {text + 4, 6}};
  const int descriptor = opened("open", ::open(file.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  report("write", ::write(descriptor, text, 10));
  report("pwrite", ::pwrite(descriptor, text, 10, 10));
  ::lseek(descriptor, 20, SEEK_SET);
  report("writev", ::writev(descriptor, parts, 2));
  report("pwritev", ::pwritev(descriptor, parts, 2, 30));
  aiocb request{};
  request.aio_fildes = descriptor;
  request.aio_buf = text;
  request.aio_nbytes = 10;
  request.aio_offset = 40;
  const int queued = ::aio_write(&request);
  report("aio_write", queued < 0 ? queued : finished(request));
  report("ftruncate", ::ftruncate(descriptor, 45));
  const int reserved = ::posix_fallocate(descriptor, 0, 60);
  errno = reserved;
  report("posix_fallocate", reserved == 0 ? 0 : -1);
  report("fsync", ::fsync(descriptor));
  report("fdatasync", ::fdatasync(descriptor));
  report("close", ::close(descriptor));
}

}  // namespace

int main(int, char** arguments) {
  const std::string folder = arguments[1];
  report("mkdir", ::mkdir(folder.c_str(), 0777));
  const std::string file = folder + "/file";
  write_in_every_way(file);
  const int at = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);  // reads only: not counted
  const int second = opened("openat", ::openat(at, "second", O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  report("close", ::close(second));
  const int third = opened("creat", ::creat((folder + "/third").c_str(), 0666));
  report("close", ::close(third));
  report("rename", ::rename((folder + "/third").c_str(), (folder + "/moved").c_str()));
  report("renameat", ::renameat(at, "moved", at, "again"));
  report("renameat2", ::renameat2(at, "again", at, "once more", 0));
  report("link", ::link(file.c_str(), (folder + "/linked").c_str()));
  report("linkat", ::linkat(at, "file", at, "linked too", 0));
  report("truncate", ::truncate((folder + "/linked").c_str(), 7));
  report("unlink", ::unlink((folder + "/linked").c_str()));
  report("unlinkat", ::unlinkat(at, "linked too", 0));
  report("remove", ::remove((folder + "/second").c_str()));
  report("mkdirat", ::mkdirat(at, "below", 0777));
  report("rmdir", ::rmdir((folder + "/below").c_str()));
  std::FILE* const stream = std::fopen((folder + "/stream").c_str(), "w");
  report("fopen", stream != nullptr ? 0 : -1);
  if (stream != nullptr) std::fclose(stream);
  std::FILE* const reader = std::fopen(file.c_str(), "r");  // reads only: not counted
  if (reader != nullptr) std::fclose(reader);
  report("fsync", ::fsync(at));
  ::close(at);
}
