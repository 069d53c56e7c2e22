#pragma once

#include <filesystem>
#include <string_view>

namespace tempera {

/// A file that appears under its name only when it is whole. It is written under temporary(), a hidden name in the same
/// folder; commit() flushes it to the disk and renames it over the destination. Without commit() the temporary is
/// removed on destruction and the destination stays as it was.
///
/// Either write() here, or let a library open temporary() itself and close it before commit(). In a parallel write one
/// rank owns this object and tells the others the temporary name.
class AtomicFile {
 public:
  /// Creates the empty temporary. The folder must exist.
  /// @throws Error{environment} naming the destination, with the system's reason (no permission, disk full …)
  explicit AtomicFile(std::filesystem::path destination);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& destination() const { return destination_; }
  const std::filesystem::path& temporary() const { return temporary_; }

  /// Appends. @throws Error{environment}; the temporary is then removed
  void write(std::string_view bytes);
  /// fsync, rename, fsync of the folder. @throws Error{environment}; the temporary is then removed
  void commit();

 private:
  [[noreturn]] void fail(int error_number);
  void discard();

  std::filesystem::path destination_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// Makes what was created, renamed or removed in a folder last beyond a loss of power. Some file systems cannot; then
/// nothing happens.
void sync_folder(const std::filesystem::path& folder);

/// Writes the whole file or leaves what was there. @throws Error{environment}
void write_file_atomically(const std::filesystem::path& destination, std::string_view text);

}  // namespace tempera
