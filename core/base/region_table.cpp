#include "core/base/region_table.hpp"

namespace tempera {

RegionTable::Guard RegionTable::open(const char* name) {
  const std::string parent = current();
  const std::string path = parent.empty() ? name : parent + "/" + name;
  std::size_t row = 0;
  while (row < rows_.size() && rows_[row].path != path) ++row;
  if (row == rows_.size()) rows_.push_back(Row{path});
  ++rows_[row].calls;
  open_.push_back({row, Clock::now()});
  return Guard(*this);
}

void RegionTable::close() {
  const Open last = open_.back();
  open_.pop_back();
  rows_[last.row].seconds += std::chrono::duration<double>(Clock::now() - last.start).count();
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
