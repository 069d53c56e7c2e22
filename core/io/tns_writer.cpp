#include <fmt/compile.h>
#include <fmt/format.h>

#include "core/base/contract.hpp"
#include "core/io/detail/text_output.hpp"
#include "core/io/tns.hpp"

namespace tempera {

namespace {
constexpr std::size_t kFlushBytes = std::size_t{1} << 20;
}

struct TnsWriter::Sink {
  std::unique_ptr<detail::TextOutput> file;
  fmt::memory_buffer text;

  void flush() {
    file->write({text.data(), text.size()});
    text.clear();
  }
};

TnsWriter::TnsWriter(const std::filesystem::path& path, std::span<const Index> shape, Index index_base)
    : sink_(std::make_unique<Sink>()), index_base_(index_base) {
  sink_->file = detail::open_text_output(path);
  fmt::format_to(std::back_inserter(sink_->text), "# shape {}, indices begin at {}\n", fmt::join(shape, " "),
                 index_base);
}

TnsWriter::TnsWriter(TnsWriter&&) noexcept = default;
TnsWriter::~TnsWriter() = default;

void TnsWriter::append(std::span<const Index> coordinates, double value) {
  auto out = std::back_inserter(sink_->text);
  for (const Index index : coordinates) fmt::format_to(out, FMT_COMPILE("{} "), index + index_base_);
  fmt::format_to(out, FMT_COMPILE("{}\n"), value);
  if (sink_->text.size() >= kFlushBytes) sink_->flush();
}

void TnsWriter::commit() {
  sink_->flush();
  sink_->file->commit();
}

void write_tns(const std::filesystem::path& path, const SparseTensor& tensor, Index index_base) {
  TnsWriter writer(path, tensor.shape(), index_base);
  std::vector<Index> coordinates(tensor.shape().size());
  for (Index k = 0; k < tensor.nonzeros(); ++k) {
    for (int mode = 0; mode < tensor.order(); ++mode)
      coordinates[static_cast<std::size_t>(mode)] = tensor.indices(mode)[static_cast<std::size_t>(k)];
    writer.append(coordinates, tensor.values()[static_cast<std::size_t>(k)]);
  }
  writer.commit();
}

void write_tns(const std::filesystem::path& path, const DenseTensor& tensor, bool drop_zeros, Index index_base) {
  TnsWriter writer(path, tensor.shape(), index_base);
  std::vector<Index> coordinates(tensor.shape().size(), 0);
  for (const double value : tensor.values()) {
    if (!drop_zeros || value != 0) writer.append(coordinates, value);
    next_cell(coordinates, tensor.shape());
  }
  writer.commit();
}

}  // namespace tempera
