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
/// Sums are always kept; single passes through regions only after record_passes.
class RegionTable {
 public:
  struct Row {
    std::string path;
    std::int64_t calls = 0;
    double seconds = 0;         ///< inclusive of nested regions
    std::int64_t messages = 0;  ///< sent by this process, exclusive of nested regions
    std::int64_t bytes = 0;     ///< sent by this process, exclusive of nested regions
  };

  /// One pass through a region.
  struct Pass {
    std::size_t row;            ///< of rows()
    double start = 0;           ///< seconds since record_passes
    double seconds = 0;         ///< inclusive of nested regions; negative while it lasts
    std::int64_t messages = 0;  ///< sent meanwhile, exclusive of nested regions
    std::int64_t bytes = 0;     ///< sent meanwhile, exclusive of nested regions
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

  /// From here on each pass is kept, the first `most` of them. Memory: 40 bytes a pass.
  void record_passes(std::size_t most);
  /// In order of opening.
  const std::vector<Pass>& passes() const { return passes_; }
  /// Passes that were not kept.
  std::int64_t passes_left_out() const { return passes_left_out_; }
  /// Since record_passes.
  double recording_seconds() const { return std::chrono::duration<double>(Clock::now() - recording_start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kNotKept = static_cast<std::size_t>(-1);
  struct Open {
    std::size_t row;
    Clock::time_point start;
    std::size_t pass;  ///< of passes_, or kNotKept
  };
  std::size_t begin_pass(std::size_t row, Clock::time_point start);
  void close();

  std::vector<Row> rows_{Row{}};
  std::vector<Open> open_;
  std::vector<Pass> passes_;
  std::size_t most_passes_ = 0;
  std::int64_t passes_left_out_ = 0;
  Clock::time_point recording_start_;
};

}  // namespace tempera
