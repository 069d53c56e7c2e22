#include "distributed/checkpoint/checkpoint_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>

#include "core/base/atomic_file.hpp"
#include "core/base/error.hpp"
#include "core/base/file_bytes.hpp"
#include "core/base/system_error.hpp"
#include "core/base/text.hpp"
#include "distributed/checkpoint/detail/digests.hpp"
#include "distributed/communicator/collectively.hpp"
#include "distributed/communicator/objects.hpp"

namespace tempera {

namespace fs = std::filesystem;

namespace {

constexpr const char* kIndexFile = "index.json";

[[noreturn]] void fail(const fs::path& path, const std::error_code& error) {
  throw write_error(path, error.value() != 0 ? error.value() : EIO);
}

bool is_hidden_leftover(const std::string& name) {
  return name.starts_with(".generation-");
}

/// What differs between what a checkpoint belongs to and what goes on from it, as "rank is 16 in the checkpoint and 8 here".
std::string difference(const RunIdentity& stored, const RunIdentity& here) {
  for (const auto& [name, value] : here.configuration.items()) {
    if (!stored.configuration.contains(name)) return fmt::format("{} is {} here and unknown there", name, value.dump());
    if (stored.configuration.at(name) != value)
      return fmt::format("{} is {} in the checkpoint and {} here", name, stored.configuration.at(name).dump(),
                         value.dump());
  }
  for (const auto& [name, value] : stored.configuration.items())
    if (!here.configuration.contains(name))
      return fmt::format("{} is {} in the checkpoint and unknown here", name, value.dump());
  if (stored.input_sha256 != here.input_sha256) return "the input is another: its SHA-256 was " + stored.input_sha256;
  return "";
}

}  // namespace

CheckpointStore::CheckpointStore(fs::path folder, RunIdentity identity)
    : folder_(std::move(folder)), identity_(std::move(identity)) {}

fs::path CheckpointStore::partial() const {
  return folder_ / fmt::format(".{}.partial", generation_name(next_));
}

void CheckpointStore::check_identity(const GenerationIndex& index, const fs::path& path) const {
  const std::string text = difference(index.identity, identity_);
  if (!text.empty())
    throw Error(Category::usage, path.string(), "the checkpoint belongs to another computation: " + text,
                "a run goes on only with the input and the options that it began with");
}

std::optional<CheckpointReader> CheckpointStore::open_newest(const Communicator& ranks,
                                                             const std::function<void(const std::string&)>& warn) {
  return collectively(ranks, [&]() -> std::optional<CheckpointReader> {
    std::vector<int> numbers;
    if (ranks.is_root()) numbers = generation_numbers(folder_);
    ranks.broadcast_object(numbers, 0);
    std::string problems;
    for (const int number : numbers) {
      const fs::path path = folder_ / generation_name(number);
      std::string text, problem;
      if (ranks.is_root()) text = file_bytes(path / kIndexFile);
      ranks.broadcast_object(text, 0);
      std::optional<GenerationIndex> index;
      try {
        index = parse_index(text, path / kIndexFile);
        if (index->generation != number) throw Error(Category::input, path.string(), "holds another generation");
        problem = detail::verify_files(ranks, folder_, path, index->files);
      } catch (const Error& error) {
        if (error.category() != Category::input) throw;
        problem = error.where() + ": " + error.what_is_wrong();
      }
      if (problem.empty()) {
        check_identity(*index, path);
        if (ranks.is_root() && !problems.empty())
          warn(fmt::format("{}; going on from generation {} instead", problems, number));
        last_good_ = number;
        next_ = numbers.front() + 1;
        return CheckpointReader(ranks, path, std::move(*index));
      }
      problems += (problems.empty() ? "" : "; ") + problem;
    }
    if (numbers.empty()) return std::nullopt;
    throw Error(Category::input, folder_.string(), "no generation of the checkpoint is whole: " + problems,
                "the run cannot go on; begin it anew with --overwrite or another --output");
  });
}

GenerationInfo CheckpointStore::write(const Communicator& ranks, const nlohmann::ordered_json& progress,
                                      const std::function<void(CheckpointWriter&)>& parts) {
  try {
    return collectively(ranks, [&] {
      CheckpointWriter writer(ranks.is_root());
      parts(writer);
      return write_files(ranks, progress, writer);
    });
  } catch (const Error&) {
    std::error_code ignored;
    if (ranks.is_root() && next_ != 0) fs::remove_all(partial(), ignored);
    next_ = 0;  // it may have been published before another rank failed
    throw;
  }
}

GenerationInfo CheckpointStore::write_files(const Communicator& ranks, const nlohmann::ordered_json& progress,
                                            const CheckpointWriter& writer) {
  if (ranks.is_root()) prepare();
  next_ = ranks.broadcast_value(next_, 0);
  GenerationIndex index;
  index.generation = next_;
  index.identity = identity_;
  index.progress = progress;
  writer.write_arrays(ranks, partial(), index);
  writer.commit_segments(ranks, index);
  if (ranks.is_root()) {
    writer.write_objects(partial(), index);
    index.written = utc_time();
    publish(index);
    prune();
  }
  ranks.barrier();
  last_good_ = next_++;
  return {index.generation, index.written, index.progress, index.bytes()};
}

void CheckpointStore::prepare() {
  std::error_code error;
  // Not the folders above: where a disk is no longer mounted nothing should be written in its place.
  if (fs::create_directory(folder_, error)) sync_folder(folder_.parent_path());
  if (error) fail(folder_, error);
  if (next_ == 0) {
    const std::vector<int> numbers = generation_numbers(folder_);
    next_ = numbers.empty() ? 1 : numbers.front() + 1;
  }
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (is_hidden_leftover(entry->path().filename().string())) fs::remove_all(entry->path(), ignored);
  }
  fs::create_directory(partial(), error);
  if (error) fail(partial(), error);
}

void CheckpointStore::publish(const GenerationIndex& index) {
  write_file_atomically(partial() / kIndexFile, to_text(index));  // syncs the folder too
  std::error_code error;
  fs::rename(partial(), folder_ / generation_name(index.generation), error);
  if (error) fail(folder_ / generation_name(index.generation), error);
  sync_folder(folder_);
}

/// Keeps the newest generation and the last one before it that was good.
void CheckpointStore::prune() const {
  for (const int number : generation_numbers(folder_)) {
    if (number == next_ || number == last_good_) continue;
    const fs::path path = folder_ / generation_name(number),
                   hidden = folder_ / ("." + generation_name(number) + ".old");
    std::error_code ignored;  // what cannot be removed costs room only; the next time tries again
    fs::rename(path, hidden, ignored);
    fs::remove_all(hidden, ignored);
  }
}

void CheckpointStore::clear(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!is_hidden_leftover(name) && !name.starts_with("generation-") && entry->path().extension() != ".segment")
      continue;
    fs::remove_all(entry->path(), error);
    if (error) throw write_error(entry->path(), error.value());
  }
}

}  // namespace tempera
