#include "core/io/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstring>

#include "core/base/atomic_file.hpp"
#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/io/detail/block_checks.hpp"
#include "core/io/detail/byte_source.hpp"
#include "core/io/detail/npy_header.hpp"
#include "core/io/input_file.hpp"
#include "core/tensor/sparse_tensor.hpp"

namespace tempera {

namespace {
constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr std::int64_t kLongestHeader = 1 << 20;
constexpr std::int64_t kBufferBytes = 1 << 20;
constexpr std::int64_t kGapWorthReading = 1 << 15;  // a seek costs more than reading over this many bytes

Error cut_short(const std::filesystem::path& path, const std::string& detail) {
  return Error(Category::input, path.string(), "the .npy file is cut short: " + detail, "copy or write the file again");
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

void check_claimed_shape(const std::filesystem::path& path, const NpyHeader& header, std::int64_t file_bytes) {
  const auto order = static_cast<int>(header.shape.size());
  const auto shape = fmt::format("({})", fmt::join(header.shape, ", "));
  if (order < kMinimumOrder || order > kMaximumOrder)
    throw Error(Category::input, path.string(),
                fmt::format("an array of order {}; orders {} to {} are supported", order, kMinimumOrder, kMaximumOrder),
                "reshape it with numpy.reshape");
  if (std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end())
    throw Error(Category::input, path.string(), fmt::format("the array of shape {} has no cells", shape),
                "every mode needs at least one index");
  std::int64_t bytes = header.item_bytes;
  for (const Index size : header.shape)
    if (__builtin_mul_overflow(bytes, size, &bytes))
      throw Error(Category::input, path.string(), fmt::format("the claimed shape {} is larger than any file", shape),
                  "the header is corrupt");
  const std::int64_t held = file_bytes - header.data_offset;
  if (held < bytes)
    throw cut_short(path, fmt::format("shape {} of type {} takes {} bytes, {} are there", shape,
                                      detail::npy_type_name(header), bytes, held));
  if (held > bytes)
    throw Error(Category::input, path.string(),
                fmt::format("{} bytes follow the array of shape {}", held - bytes, shape), "keep one array in a file");
}

/// Whether a double holds this integer exactly.
bool is_exact(std::uint64_t magnitude) {
  return magnitude == 0 || std::bit_width(magnitude) - std::countr_zero(magnitude) <= 53;
}

template <class T>
T load(const char* bytes, bool swap) {
  std::array<char, sizeof(T)> raw;
  std::memcpy(raw.data(), bytes, sizeof(T));
  if (swap) std::reverse(raw.begin(), raw.end());
  return std::bit_cast<T>(raw);
}

/// Converts `count` values to doubles `stride` apart; returns the position of the first one that is refused, or -1.
template <class T>
Index convert(const char* bytes, Index count, bool swap, bool allow_missing, double* out, Index stride) {
  for (Index i = 0; i < count; ++i) {
    const T value = load<T>(bytes + i * static_cast<Index>(sizeof(T)), swap);
    if constexpr (std::floating_point<T>) {
      if (!std::isfinite(value) && !(allow_missing && std::isnan(value))) return i;
    } else if constexpr (sizeof(T) == 8) {
      const auto bits = static_cast<std::uint64_t>(value);
      if (!is_exact(value < T{0} ? ~bits + 1 : bits)) return i;
    }
    out[i * stride] = static_cast<double>(value);
  }
  return -1;
}

using Converter = Index (*)(const char*, Index, bool, bool, double*, Index);

Converter converter_of(const NpyHeader& header) {
  switch (header.kind) {
    case NpyHeader::Kind::real: return header.item_bytes == 4 ? convert<float> : convert<double>;
    case NpyHeader::Kind::signed_integer:
      switch (header.item_bytes) {
        case 1: return convert<std::int8_t>;
        case 2: return convert<std::int16_t>;
        case 4: return convert<std::int32_t>;
        default: return convert<std::int64_t>;
      }
    default:
      switch (header.item_bytes) {
        case 1: return convert<std::uint8_t>;
        case 2: return convert<std::uint16_t>;
        case 4: return convert<std::uint32_t>;
        default: return convert<std::uint64_t>;
      }
  }
}

Error refused_cell(const std::filesystem::path& path, const NpyHeader& header, const char* bytes, bool swap,
                   std::span<const Index> cell) {
  std::string value;
  if (header.kind == NpyHeader::Kind::real)
    value = fmt::format(
        "{}", header.item_bytes == 4 ? static_cast<double>(load<float>(bytes, swap)) : load<double>(bytes, swap));
  else
    value = header.kind == NpyHeader::Kind::signed_integer
                ? fmt::format("{}, more digits than a double holds", load<std::int64_t>(bytes, swap))
                : fmt::format("{}, more digits than a double holds", load<std::uint64_t>(bytes, swap));
  return Error(Category::input, path.string(),
               fmt::format("the cell at indices ({}), counted from 0, is {}", fmt::join(cell, ", "), value),
               header.kind == NpyHeader::Kind::real ? detail::kMissingCellHint
                                                    : "rescale the data, or save it as float64 if rounding is right");
}

/// Sees a file through one bounded buffer.
class Window {
 public:
  Window(const std::filesystem::path& path, std::int64_t end) : path_(path), file_(path), end_(end) {}

  /// `bytes` bytes at `offset`; when they are not in the buffer, `ahead` bytes are read with them if there is room.
  const char* at(std::int64_t offset, std::int64_t bytes, std::int64_t ahead) {
    if (offset >= begin_ && offset + bytes <= begin_ + static_cast<std::int64_t>(buffer_.size()))
      return buffer_.data() + (offset - begin_);
    const std::int64_t length = std::min(end_ - offset, std::max(bytes, std::min(ahead, kBufferBytes)));
    buffer_.resize(static_cast<std::size_t>(length));
    begin_ = offset;
    if (file_.read_at(offset, buffer_) != buffer_.size()) throw cut_short(path_, "it shrank while it was read");
    return buffer_.data();
  }

 private:
  std::filesystem::path path_;
  detail::PositionedFile file_;
  std::int64_t end_;
  std::int64_t begin_ = 0;
  std::vector<char> buffer_;
};

}  // namespace

NpyHeader read_npy_header(const std::filesystem::path& path) {
  const std::int64_t file_bytes = check_input_file(path);
  const detail::PositionedFile file(path);
  std::string start(12, '\0');
  start.resize(file.read_at(0, start));
  if (!std::string_view(start).starts_with(kMagic.substr(0, start.size())))
    throw Error(Category::input, path.string(), "is not a .npy file (its first bytes are wrong)",
                "write it with numpy.save");
  if (start.size() < 10) throw cut_short(path, fmt::format("{} bytes in all", start.size()));
  const int version = start[6];
  if (version < 1 || version > 3)
    throw Error(Category::input, path.string(),
                fmt::format("version {} of the .npy format is unknown", static_cast<unsigned char>(start[6])),
                "versions 1 to 3 are read");
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  if (start.size() < 8 + length_bytes) throw cut_short(path, fmt::format("{} bytes in all", start.size()));
  const auto length = static_cast<std::int64_t>(little_endian(std::string_view(start).substr(8, length_bytes)));
  const auto offset = static_cast<std::int64_t>(8 + length_bytes);
  if (length > file_bytes - offset)
    throw cut_short(path, fmt::format("its header takes {} bytes, {} are there", length, file_bytes - offset));
  if (length > kLongestHeader)
    throw Error(Category::input, path.string(), fmt::format("its header takes {} bytes", length),
                "write it again with numpy.save");
  std::string text(static_cast<std::size_t>(length), '\0');
  text.resize(file.read_at(offset, text));
  NpyHeader header = detail::parse_npy_dictionary(text, path.string());
  header.data_offset = offset + length;
  check_claimed_shape(path, header, file_bytes);
  return header;
}

DenseTensor read_npy_block(const std::filesystem::path& path, const NpyHeader& header, std::span<const Index> offsets,
                           std::span<const Index> extents, const NpyOptions& options) {
  const std::size_t order = header.shape.size();
  TEMPERA_EXPECTS(offsets.size() == order && extents.size() == order);
  for (std::size_t mode = 0; mode < order; ++mode)
    TEMPERA_EXPECTS(offsets[mode] >= 0 && extents[mode] >= 0 && offsets[mode] + extents[mode] <= header.shape[mode]);
  detail::check_block_memory(path.string(), 8 * cell_count(extents));
  DenseTensor block(std::vector<Index>(extents.begin(), extents.end()));
  if (block.size() == 0) return block;

  // Levels are the modes in the order of the file, fastest first.
  std::vector<std::size_t> mode_of(order);
  for (std::size_t level = 0; level < order; ++level) mode_of[level] = header.fortran_order ? level : order - 1 - level;
  std::vector<std::int64_t> file_stride(order), cell_stride(order);  // bytes in the file, doubles in the block; by mode
  std::int64_t whole_bytes = header.item_bytes;
  for (const std::size_t mode : mode_of) {
    file_stride[mode] = whole_bytes;
    whole_bytes *= header.shape[mode];
  }
  for (std::size_t mode = 0, cells = 1; mode < order; ++mode) {
    cell_stride[mode] = static_cast<std::int64_t>(cells);
    cells *= static_cast<std::size_t>(extents[mode]);
  }
  // A run is what lies together in the file: all of some fastest modes and a part of the next one.
  std::size_t level = 0;
  while (level + 1 < order && extents[mode_of[level]] == header.shape[mode_of[level]]) ++level;
  const std::int64_t run_bytes = file_stride[mode_of[level]] * extents[mode_of[level]];
  const std::int64_t gap = level + 1 < order ? file_stride[mode_of[level + 1]] - run_bytes : 0;
  const bool read_over_gaps = gap <= std::max(kGapWorthReading, run_bytes);

  const std::size_t fastest = mode_of[0];
  const Converter converter = converter_of(header);
  const bool swap = header.big_endian != (std::endian::native == std::endian::big);
  const std::int64_t piece = std::min(extents[fastest], kBufferBytes / header.item_bytes);
  Window window(path, header.data_offset + whole_bytes);
  std::vector<Index> cell(order, 0);
  std::int64_t left_in_run = 0;
  for (bool more = true; more;) {
    std::int64_t position = header.data_offset, target = 0;
    for (std::size_t mode = 0; mode < order; ++mode) {
      position += (offsets[mode] + cell[mode]) * file_stride[mode];
      target += cell[mode] * cell_stride[mode];
    }
    for (Index done = 0; done < extents[fastest]; done += piece) {
      const Index count = std::min(piece, extents[fastest] - done);
      if (left_in_run == 0) left_in_run = run_bytes;
      const char* bytes = window.at(position + done * header.item_bytes, count * header.item_bytes,
                                    read_over_gaps ? kBufferBytes : left_in_run);
      left_in_run -= count * header.item_bytes;
      const Index refused =
          converter(bytes, count, swap, options.allow_missing,
                    block.values().data() + target + done * cell_stride[fastest], cell_stride[fastest]);
      if (refused >= 0) {
        cell[fastest] = done + refused;
        for (std::size_t mode = 0; mode < order; ++mode) cell[mode] += offsets[mode];
        throw refused_cell(path, header, bytes + refused * header.item_bytes, swap, cell);
      }
    }
    more = false;
    for (std::size_t next = 1; next < order && !more; ++next) {
      more = ++cell[mode_of[next]] < extents[mode_of[next]];
      if (!more) cell[mode_of[next]] = 0;
    }
  }
  return block;
}

DenseTensor read_npy(const std::filesystem::path& path, const NpyOptions& options) {
  const NpyHeader header = read_npy_header(path);
  const std::vector<Index> offsets(header.shape.size(), 0);
  return read_npy_block(path, header, offsets, header.shape, options);
}

void write_npy(const std::filesystem::path& path, const DenseTensor& tensor) {
  check_shape(tensor.shape(), true);
  std::string text = fmt::format("{{'descr': '{}f8', 'fortran_order': True, 'shape': ({}), }}",
                                 std::endian::native == std::endian::big ? '>' : '<', fmt::join(tensor.shape(), ", "));
  const std::size_t before = kMagic.size() + 4;
  text.append(63 - (before + text.size()) % 64, ' ');  // the values start at a multiple of 64
  text += '\n';
  std::string start(kMagic);
  start += {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  AtomicFile file(path);
  file.write(start + text);
  file.write({reinterpret_cast<const char*>(tensor.values().data()), tensor.values().size_bytes()});
  file.commit();
}

}  // namespace tempera
