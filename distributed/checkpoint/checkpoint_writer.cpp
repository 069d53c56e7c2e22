#include "distributed/checkpoint/checkpoint_writer.hpp"

#include <algorithm>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>

#include "core/base/contract.hpp"
#include "distributed/checkpoint/detail/digests.hpp"
#include "distributed/checkpoint/detail/row_blocks.hpp"
#include "distributed/communicator/objects.hpp"

namespace tempera {

namespace {

constexpr const char* kArraysFile = "arrays.h5";
constexpr const char* kObjectsFile = "objects.bin";
constexpr std::int64_t kBlockBytes = std::int64_t{1} << 20;

/// A matrix as ranks that have no rows of it learn of it.
struct PartName {
  std::string name;
  Index rows = 0;
  Index columns = 0;
  template <class Archive>
  void serialize(Archive& archive, unsigned) {
    archive& name& rows& columns;
  }
};

/// What lies around the data of the arrays: the library has finished with it before any data are written.
std::vector<BlockDigests> digest_gaps(const detail::RawFile& file, std::int64_t size,
                                      const std::vector<BlockDigests>& data) {
  std::vector<BlockDigests> sorted = data, gaps;
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  std::int64_t begin = 0;
  for (const BlockDigests& region : sorted) {
    if (region.offset > begin) gaps.push_back(detail::digest_range(file, begin, region.offset - begin, kBlockBytes));
    begin = region.offset + region.bytes;
  }
  if (size > begin) gaps.push_back(detail::digest_range(file, begin, size - begin, kBlockBytes));
  return gaps;
}

}  // namespace

void CheckpointWriter::add_object(const std::string& name, unsigned version, std::vector<std::byte> bytes) {
  TEMPERA_EXPECTS(std::none_of(objects_.begin(), objects_.end(), [&](const Object& o) { return o.name == name; }));
  objects_.push_back({name, version, std::move(bytes)});
}

void CheckpointWriter::add_rows(ArraySpec array, std::span<const Index> mine, const std::byte* data,
                                std::size_t stride_bytes) {
  TEMPERA_EXPECTS(array.rows >= 0 && array.columns >= 0 &&
                  stride_bytes >= static_cast<std::size_t>(array.columns) * sizeof(double));
  TEMPERA_EXPECTS(std::is_sorted(mine.begin(), mine.end()) &&
                  (mine.empty() || (mine.front() >= 0 && mine.back() < array.rows)));
  TEMPERA_EXPECTS(std::none_of(rows_.begin(), rows_.end(), [&](const Rows& r) { return r.array.name == array.name; }));
  rows_.push_back({std::move(array), mine, data, stride_bytes});
}

void CheckpointWriter::rows_of_groups(const Communicator& ranks, const std::string& prefix,
                                      const std::function<void(CheckpointWriter&)>& name_parts) {
  CheckpointWriter own(false);
  name_parts(own);
  std::vector<PartName> mine;
  for (Rows& rows : own.rows_) {
    TEMPERA_EXPECTS(rows.array.type == ArrayType::float64);
    rows.array.name = prefix + rows.array.name;
    mine.push_back({rows.array.name, rows.array.rows, rows.array.columns});
  }
  std::vector<PartName> all;
  for (const auto& parts : ranks.gather_objects(mine, 0))
    for (const PartName& part : parts)
      if (std::none_of(all.begin(), all.end(), [&](const PartName& known) { return known.name == part.name; }))
        all.push_back(part);
  ranks.broadcast_object(all, 0);
  for (const PartName& part : all) {
    const auto found = std::find_if(own.rows_.begin(), own.rows_.end(),
                                    [&](const Rows& rows) { return rows.array.name == part.name; });
    if (found != own.rows_.end())
      add_rows(found->array, found->mine, found->data, found->stride_bytes);
    else
      add_rows({part.name, ArrayType::float64, part.rows, part.columns}, {}, nullptr,
               static_cast<std::size_t>(part.columns) * sizeof(double));
  }
}

void CheckpointWriter::segment(CheckpointSegment& segment, std::int64_t length) {
  segments_.push_back({&segment, length});
}

void CheckpointWriter::write_arrays(const Communicator& ranks, const std::filesystem::path& folder,
                                    GenerationIndex& index) const {
  if (rows_.empty()) return;
  const std::filesystem::path path = folder / kArraysFile;
  std::vector<ArraySpec> arrays;
  for (const Rows& rows : rows_) arrays.push_back(rows.array);
  std::vector<Index> offsets;
  if (ranks.is_root()) offsets = create_hdf5_arrays(path, arrays);
  ranks.broadcast_object(offsets, 0);

  StoredFile stored{kArraysFile, false, 0, {}};
  for (std::size_t k = 0; k < arrays.size(); ++k) {
    StoredRows rows{arrays[k], offsets[k], -1, detail::rows_of_block(arrays[k])};
    if (offsets[k] >= 0) {
      rows.region = std::ssize(stored.regions);
      const std::int64_t row_bytes = arrays[k].columns * static_cast<Index>(sizeof(double));
      BlockDigests& region = stored.regions.emplace_back(
          BlockDigests{offsets[k], arrays[k].rows * row_bytes, rows.block_rows * row_bytes, {}});
      if (ranks.is_root()) region.sha256.resize(static_cast<std::size_t>(region.blocks()));
    }
    index.arrays.push_back(rows);
  }

  detail::RawFile file(path, detail::RawFile::Mode::write_existing);
  std::vector<BlockDigests> gaps;
  if (ranks.is_root()) {
    stored.bytes = file.size();
    gaps = digest_gaps(file, stored.bytes, stored.regions);
  }
  std::vector<detail::BlockDigest> mine;
  for (std::size_t k = 0; k < rows_.size(); ++k) {
    if (offsets[k] < 0) continue;
    const auto part =
        detail::write_row_blocks(ranks, file, index.arrays[k], {rows_[k].mine, rows_[k].data, rows_[k].stride_bytes});
    mine.insert(mine.end(), part.begin(), part.end());
  }
  file.sync();
  file.close();
  detail::gather_digests(ranks, mine, stored.regions);
  stored.regions.insert(stored.regions.end(), gaps.begin(), gaps.end());
  index.files.push_back(std::move(stored));
}

void CheckpointWriter::commit_segments(const Communicator& ranks, GenerationIndex& index) const {
  for (const Segment& part : segments_) index.files.push_back(part.segment->commit(ranks, part.length));
}

void CheckpointWriter::write_objects(const std::filesystem::path& folder, GenerationIndex& index) const {
  if (objects_.empty()) return;
  std::vector<std::byte> bytes;
  for (const Object& object : objects_) {
    index.objects.push_back({object.name, object.version, std::ssize(bytes), std::ssize(object.bytes)});
    bytes.insert(bytes.end(), object.bytes.begin(), object.bytes.end());
  }
  detail::RawFile file(folder / kObjectsFile, detail::RawFile::Mode::create);
  file.write(0, bytes);
  file.sync();
  StoredFile stored{kObjectsFile, false, std::ssize(bytes), {}};
  stored.regions.push_back(detail::digest_range(file, 0, stored.bytes, kBlockBytes));
  file.close();
  index.files.push_back(std::move(stored));
}

}  // namespace tempera
