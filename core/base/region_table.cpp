#include "core/base/region_table.hpp"

#include <string_view>

namespace tempera {

namespace {

/// Whether `path` is the region of this name inside `parent`, "" for none. Regions are opened in loops, so no text is made.
bool is_child(std::string_view path, std::string_view parent, std::string_view name) {
  if (parent.empty()) return path == name;
  return path.size() == parent.size() + 1 + name.size() && path.ends_with(name) && path[parent.size()] == '/' &&
         path.starts_with(parent);
}

}  // namespace

RegionTable::Guard RegionTable::open(const char* name) {
  const std::string_view parent = open_.empty() ? std::string_view() : rows_[open_.back().row].path;
  std::size_t row = 1;
  while (row < rows_.size() && !is_child(rows_[row].path, parent, name)) ++row;
  if (row == rows_.size()) rows_.push_back(Row{parent.empty() ? name : std::string(parent) + "/" + name});
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
