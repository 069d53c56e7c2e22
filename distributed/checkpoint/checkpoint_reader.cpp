#include "distributed/checkpoint/checkpoint_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "distributed/checkpoint/detail/raw_file.hpp"
#include "distributed/checkpoint/detail/row_blocks.hpp"

namespace tempera {

namespace {

const StoredFile* find_file(const std::vector<StoredFile>& files, const std::string& name) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.name == name; });
  return found == files.end() ? nullptr : &*found;
}

}  // namespace

CheckpointReader::CheckpointReader(const Communicator& ranks, std::filesystem::path folder, GenerationIndex index)
    : ranks_(ranks), folder_(std::move(folder)), index_(std::move(index)) {
  const StoredFile* file = find_file(index_.files, "objects.bin");
  if (file == nullptr) return;
  objects_.resize(static_cast<std::size_t>(file->bytes));
  if (ranks.is_root()) {
    const detail::RawFile raw(folder_ / file->name, detail::RawFile::Mode::read);
    std::vector<std::byte> block;
    for (const BlockDigests& region : file->regions)
      for (std::int64_t k = 0; k < region.blocks(); ++k) {
        detail::read_verified(raw, region, k, block);
        std::copy(block.begin(), block.end(), objects_.begin() + region.offset + k * region.block_bytes);
      }
  }
  ranks.broadcast(std::span<std::byte>(objects_), 0);
}

Error CheckpointReader::error(Category category, const std::string& what, const std::string& hint) const {
  return Error(category, folder_.string(), what, hint);
}

Error CheckpointReader::newer(const std::string& name, const std::string& versions) const {
  return error(Category::environment,
               fmt::format("part '{}' of the checkpoint was written by a newer tempera: {}", name, versions),
               "resume with the version of tempera that wrote it");
}

Error CheckpointReader::unreadable(const std::string& name, const std::exception& problem) const {
  return error(Category::input, fmt::format("part '{}' of the checkpoint cannot be read: {}", name, problem.what()),
               "it was written by another engine or version");
}

const StoredObject& CheckpointReader::find_object(const std::string& name) const {
  for (const StoredObject& object : index_.objects)
    if (object.name == name && object.offset + object.bytes <= std::ssize(objects_)) return object;
  throw error(Category::input, fmt::format("the checkpoint has no part '{}'", name),
              "it was written by another engine or version");
}

bool CheckpointReader::has_object(const std::string& name) const {
  return std::any_of(index_.objects.begin(), index_.objects.end(),
                     [&](const StoredObject& object) { return object.name == name; });
}

CheckpointReader CheckpointReader::within(const Communicator& group, std::string prefix) const {
  CheckpointReader part = *this;
  part.ranks_ = group;
  part.prefix_ = std::move(prefix);
  return part;
}

const StoredRows& CheckpointReader::rows_of(const std::string& name) const {
  for (const StoredRows& rows : index_.arrays)
    if (rows.array.name == prefix_ + name) return rows;
  throw error(Category::input, fmt::format("the checkpoint has no matrix '{}'", name),
              "it was written by another engine or version");
}

void CheckpointReader::read_rows(const std::string& name, ArrayType type, Index columns, std::span<const Index> wanted,
                                 std::byte* data, std::size_t stride_bytes) const {
  const StoredRows& stored = rows_of(name);
  if (stored.array.type != type || stored.array.columns != columns)
    throw error(Category::input,
                fmt::format("matrix '{}' of the checkpoint has {} columns, {} are expected, or another type", name,
                            stored.array.columns, columns),
                "it was written by another engine or version");
  if (std::any_of(wanted.begin(), wanted.end(), [&](Index row) { return row < 0 || row >= stored.array.rows; }))
    throw error(Category::input,
                fmt::format("matrix '{}' of the checkpoint has {} rows, more are expected", name, stored.array.rows),
                "it was written for another tensor");
  if (stored.region < 0) return;
  const StoredFile* file = find_file(index_.files, "arrays.h5");
  if (file == nullptr || stored.region >= std::ssize(file->regions))
    throw error(Category::input, fmt::format("the data of matrix '{}' are missing", name), "");
  const detail::RawFile raw(folder_ / file->name, detail::RawFile::Mode::read);
  detail::read_row_blocks(ranks_, raw, stored, file->regions[static_cast<std::size_t>(stored.region)],
                          {wanted, data, stride_bytes});
}

const StoredFile* CheckpointReader::segment(const std::string& name) const {
  return find_file(index_.files, name + ".segment");
}

}  // namespace tempera
