#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/io/detail/byte_source.hpp"
#include "core/io/detail/line_blocks.hpp"
#include "core/io/input_file.hpp"
#include "core/io/tns.hpp"

namespace tempera {

namespace {
constexpr std::int64_t kToTheEnd = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kGlanceBytes = std::size_t{1} << 14;  // usually enough for the first data line

std::unique_ptr<detail::LineBlocks> whole_file(const std::filesystem::path& path, std::size_t block_bytes) {
  check_input_file(path);
  if (detail::has_gzip_name(path)) return std::make_unique<detail::LineBlocks>(path, block_bytes);
  return std::make_unique<detail::LineBlocks>(path, 0, kToTheEnd, block_bytes);
}
}  // namespace

void TnsChunk::reserve(int order, Index nonzeros) {
  for (int mode = 0; mode < order; ++mode)
    indices_[static_cast<std::size_t>(mode)].reserve(static_cast<std::size_t>(nonzeros));
  values_.reserve(static_cast<std::size_t>(nonzeros));
}

SparseTensor TnsChunk::take(std::vector<Index> shape) {
  std::vector<LargeVector<Index>> indices;
  for (int mode = 0; mode < order_; ++mode) {
    auto& all = indices.emplace_back(std::move(indices_[static_cast<std::size_t>(mode)]));
    all.resize(count_);
  }
  values_.resize(count_);
  count_ = 0;
  return SparseTensor(std::move(shape), std::move(indices), std::exchange(values_, {}));
}

TnsReader::TnsReader(const std::filesystem::path& path, TnsOptions options)
    : blocks_(whole_file(path, options.block_bytes)), parser_(std::move(options)) {}

TnsReader::TnsReader(const std::filesystem::path& path, std::int64_t begin, std::int64_t end, TnsOptions options)
    : blocks_(std::make_unique<detail::LineBlocks>(path, begin, end, options.block_bytes)),
      parser_(std::move(options)) {}

TnsReader::TnsReader(TnsReader&&) noexcept = default;
TnsReader::~TnsReader() = default;

bool TnsReader::append(TnsChunk& chunk) {
  const std::string_view lines = blocks_->next();
  if (lines.empty()) return false;
  if (blocks_->overlong())
    parser_.fail(fmt::format("the line is longer than {} bytes", detail::LineBlocks::kLongestLine),
                 "is this a text tensor?");
  parser_.parse(lines, chunk);
  // Damage of a compressed file may show as a bad line long before its checksum tells.
  if (parser_.error()) blocks_->check_rest_of_gzip();
  return true;
}

Error tns_error(const std::filesystem::path& path, const LineError& error, Index lines_before) {
  return Error(Category::input, fmt::format("{}:{}", path.string(), lines_before + error.line), error.what, error.hint);
}

Error tns_without_data(const std::filesystem::path& path, Index lines) {
  return Error(Category::input, path.string(),
               fmt::format("no data: {} line{} of comments and blanks only", lines, lines == 1 ? "" : "s"),
               "a data line is one index a mode, then the value");
}

int tns_order(const std::filesystem::path& path, const TnsOptions& options) {
  TnsOptions glance = options;
  glance.block_bytes = std::min(options.block_bytes, kGlanceBytes);
  TnsReader reader(path, glance);
  for (TnsChunk chunk; reader.next(chunk);) {
    // A bad line further on is for whoever reads the file; only the one that sets the order matters here.
    if (reader.state().order() != 0) return reader.state().order();
    if (reader.state().error()) throw tns_error(path, *reader.state().error(), 0);
  }
  throw tns_without_data(path, reader.state().lines());
}

SparseTensor read_tns(const std::filesystem::path& path, const TnsOptions& options) {
  TnsReader reader(path, options);
  TnsChunk all;
  while (reader.append(all))
    if (reader.state().error()) throw tns_error(path, *reader.state().error(), 0);
  if (all.nonzeros() == 0) throw tns_without_data(path, reader.state().lines());
  return all.take(options.dims.empty() ? reader.state().extents() : options.dims);
}

}  // namespace tempera
