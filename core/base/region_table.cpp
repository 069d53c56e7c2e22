#include "core/base/region_table.hpp"

namespace tempera {

RegionTable::Guard RegionTable::open(const char* name) {
  const std::string parent = current();
  const std::string path = parent.empty() ? name : parent + "/" + name;
  std::size_t row = 0;
  while (row < rows_.size() && rows_[row].path != path) ++row;
  if (row == rows_.size()) rows_.push_back(Row{path});
  ++rows_[row].calls;
  const Clock::time_point now = Clock::now();
  open_.push_back({row, now, most_passes_ == 0 ? kNotKept : begin_pass(row, now)});
  return Guard(*this);
}

void RegionTable::record_passes(std::size_t most) {
  most_passes_ = most;
  passes_.clear();
  passes_left_out_ = 0;
  recording_start_ = Clock::now();
  for (Open& open : open_) open.pass = kNotKept;
}

std::size_t RegionTable::begin_pass(std::size_t row, Clock::time_point start) {
  if (passes_.size() == most_passes_) {
    ++passes_left_out_;
    return kNotKept;
  }
  // What the row has counted so far is taken from the sums at the end.
  passes_.push_back({row, std::chrono::duration<double>(start - recording_start_).count(), -1, -rows_[row].messages,
                     -rows_[row].bytes});
  return passes_.size() - 1;
}

void RegionTable::close() {
  const Open last = open_.back();
  open_.pop_back();
  const double seconds = std::chrono::duration<double>(Clock::now() - last.start).count();
  Row& row = rows_[last.row];
  row.seconds += seconds;
  if (last.pass == kNotKept) return;
  Pass& pass = passes_[last.pass];
  pass.seconds = seconds;
  pass.messages += row.messages;
  pass.bytes += row.bytes;
}

void RegionTable::count_traffic(std::int64_t messages, std::int64_t bytes) {
  Row& row = rows_[open_.empty() ? 0 : open_.back().row];
  row.messages += messages;
  row.bytes += bytes;
}

std::string RegionTable::current() const {
  return open_.empty() ? std::string() : rows_[open_.back().row].path;
}

}  // namespace tempera
