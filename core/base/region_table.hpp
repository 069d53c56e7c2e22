#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace tempera {

/// Time, calls and traffic of the named regions of one process.
///
/// Regions nest; a region is named by its path, "sweep/mttkrp". Traffic is what this process sends, counted by the
/// communicator for the innermost open region. A table is a value owned by whoever runs the engine: there is no global one.
class RegionTable {
 public:
  struct Row {
    std::string path;
    std::int64_t calls = 0;
    double seconds = 0;         ///< inclusive of nested regions
    std::int64_t messages = 0;  ///< sent by this process, exclusive of nested regions
    std::int64_t bytes = 0;     ///< sent by this process, exclusive of nested regions
  };

  /// Opens a region until the returned guard is destroyed. Guards must be destroyed in reverse order of creation.
  class Guard {
   public:
    explicit Guard(RegionTable& table) : table_(&table) {}
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    ~Guard() { table_->close(); }

   private:
    RegionTable* table_;
  };

  [[nodiscard]] Guard open(const char* name);
  void count_traffic(std::int64_t messages, std::int64_t bytes);

  /// Path of the innermost open region, "" outside any.
  std::string current() const;
  /// In order of first opening; rows[0] is the unnamed outermost region.
  const std::vector<Row>& rows() const { return rows_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Open {
    std::size_t row;
    Clock::time_point start;
  };
  void close();

  std::vector<Row> rows_{Row{}};
  std::vector<Open> open_;
};

}  // namespace tempera
