#include "core/io/detail/cell_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>

#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/base/system_error.hpp"

namespace tempera::detail {

namespace {
using Type = InferenceVariable::Type;

constexpr Index kBufferBytes = Index{1} << 20;
constexpr double kInt64Limit = 0x1p63;

Index cell_bytes(Type type) {
  return type == Type::boolean ? 1 : 8;
}

bool fits(Type type, double value) {
  if (type == Type::boolean) return value == 0 || value == 1;
  return value >= -kInt64Limit && value < kInt64Limit && value == std::trunc(value);
}

/// Joins [begin, end) to a list of such intervals.
void add_interval(std::vector<std::pair<Index, Index>>& list, Index begin, Index end) {
  const auto first =
      std::lower_bound(list.begin(), list.end(), begin, [](const auto& known, Index at) { return known.second < at; });
  auto last = first;
  for (; last != list.end() && last->first <= end; ++last) {
    begin = std::min(begin, last->first);
    end = std::max(end, last->second);
  }
  if (first == last)
    list.insert(first, {begin, end});
  else
    list.erase((*first = {begin, end}, first + 1), last);
}

}  // namespace

CellWriter::CellWriter(const AtomicFile& output)
    : output_(output),
      descriptor_(::open(output.temporary().c_str(), O_WRONLY | O_CLOEXEC)),
      buffer_(static_cast<std::size_t>(kBufferBytes)) {
  if (descriptor_ < 0) throw write_error(output.destination(), errno);
}

CellWriter::~CellWriter() {
  ::close(descriptor_);
}

void CellWriter::encode(const CellArray& array, const double* values, Index count) {
  char* to = buffer_.data() + used_;
  used_ += count * cell_bytes(array.type);
  if (array.type == Type::float64) {
    for (Index k = 0; k < count; ++k) std::memcpy(to + 8 * k, values + k, 8);
    return;
  }
  for (Index k = 0; k < count; ++k) {
    if (!fits(array.type, values[k]))
      throw Error(Category::numerical, output_.destination().string() + ":" + array.name,
                  fmt::format("the value {} is {}", values[k],
                              array.type == Type::boolean ? "neither 0 nor 1" : "no integer of 64 bits"));
    const auto integer = static_cast<std::int64_t>(values[k]);
    if (array.type == Type::boolean)
      to[k] = static_cast<char>(integer);
    else
      std::memcpy(to + 8 * k, &integer, 8);
  }
}

void CellWriter::flush(Index& offset) {
  for (Index done = 0; done < used_;) {
    const ssize_t count =
        ::pwrite(descriptor_, buffer_.data() + done, static_cast<std::size_t>(used_ - done), offset + done);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) throw write_error(output_.destination(), count < 0 ? errno : EIO);
    done += count;
  }
  offset += used_;
  used_ = 0;
}

void CellWriter::write(CellArray& array, Index first, const double* values, Index runs, Index length, Index stride) {
  TEMPERA_EXPECTS(first >= 0 && runs >= 0 && length > 0 && first + runs * length <= array.cells);
  if (runs == 0) return;
  const Index width = cell_bytes(array.type), end = first + runs * length;
  if (stride == length) length = std::exchange(runs, 1) * length;
  Index offset = array.offset + first * width;
  used_ = 0;
  for (Index run = 0; run < runs; ++run) {
    for (Index done = 0; done < length;) {
      const Index part = std::min((kBufferBytes - used_) / width, length - done);
      encode(array, values + run * stride + done, part);
      done += part;
      if (used_ == kBufferBytes) flush(offset);
    }
  }
  flush(offset);
  add_interval(array.written, first, end);
}

void CellWriter::write_coordinates(CellArray& array) {
  std::vector<double> values;
  for (Index begin = 0; begin < array.cells; begin += std::ssize(values)) {
    values.resize(static_cast<std::size_t>(std::min(array.cells - begin, kBufferBytes / cell_bytes(Type::float64))));
    std::iota(values.begin(), values.end(), static_cast<double>(begin));
    write(array, begin, values.data(), 1, std::ssize(values), std::ssize(values));
  }
}

void CellWriter::fill_gaps(CellArray& array) {
  [[maybe_unused]] const bool whole = array.written.size() == 1 && array.written[0] == std::pair(Index{0}, array.cells);
  TEMPERA_EXPECTS(whole || array.type == Type::float64);
  std::vector<double> nothing;
  Index begin = 0;
  const auto written = array.written;
  const auto fill_to = [&](Index end) {
    for (Index count = 0; begin < end; begin += count) {
      count = std::min(end - begin, kBufferBytes / static_cast<Index>(sizeof(double)));
      nothing.resize(static_cast<std::size_t>(count), std::numeric_limits<double>::quiet_NaN());
      write(array, begin, nothing.data(), 1, count, count);
    }
  };
  for (const auto& [from, to] : written) {
    fill_to(from);
    begin = to;
  }
  fill_to(array.cells);
}

}  // namespace tempera::detail
