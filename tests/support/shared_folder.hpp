#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "distributed/communicator/objects.hpp"
#include "tests/support/data.hpp"

namespace tempera::test {

/// One folder for all ranks of a test.
class SharedFolder {
 public:
  explicit SharedFolder(const Communicator& world) : world_(world) {
    if (world.is_root()) folder_.emplace();
    if (world.is_root()) path_ = folder_->path().string();
    world.broadcast_object(path_, 0);
  }
  ~SharedFolder() {
    try {
      world_.barrier();
    } catch (...) {  // another rank has failed: nobody waits for it
    }
  }
  std::filesystem::path path() const { return path_; }

 private:
  const Communicator& world_;
  std::optional<TemporaryFolder> folder_;
  std::string path_;
};

}  // namespace tempera::test
