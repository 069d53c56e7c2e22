#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/index.hpp"
#include "core/io/hdf5_arrays.hpp"

namespace tempera {

/// SHA-256 of consecutive blocks of a byte range of a file; the last block may be shorter. The blocks depend on what is
/// stored only, never on the number of ranks that wrote it.
struct BlockDigests {
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
  std::int64_t block_bytes = 1;
  std::vector<std::string> sha256;

  std::int64_t blocks() const { return (bytes + block_bytes - 1) / block_bytes; }
};

/// A file of a generation. The regions cover all of it, or of a segment (which later generations append to) its first
/// `bytes` bytes.
struct StoredFile {
  std::string name;  ///< in the folder of the generation; of a segment in the folder of the store
  bool segment = false;
  std::int64_t bytes = 0;
  std::vector<BlockDigests> regions;
};

/// A Boost.Serialization archive inside objects.bin.
struct StoredObject {
  std::string name;
  unsigned version = 0;  ///< of its class, as BOOST_CLASS_VERSION says
  std::int64_t offset = 0;
  std::int64_t bytes = 0;
};

/// A matrix inside arrays.h5.
struct StoredRows {
  ArraySpec array;
  std::int64_t offset = -1;     ///< of its data in the file; −1 without cells
  std::int64_t region = -1;     ///< of the file's regions; −1 without cells
  std::int64_t block_rows = 1;  ///< rows of one block of that region
};

/// What a computation was told, so that nothing else goes on from its state.
struct RunIdentity {
  nlohmann::ordered_json configuration = nlohmann::ordered_json::object();  ///< option → value, those that matter
  std::string input_sha256;
};

/// Table of contents of one generation: the file index.json.
struct GenerationIndex {
  int generation = 0;
  std::string written;  ///< UTC, 2026-01-31T12:34:56Z
  RunIdentity identity;
  nlohmann::ordered_json progress;  ///< where the computation stood, for people and monitors
  std::vector<StoredObject> objects;
  std::vector<StoredRows> arrays;
  std::vector<StoredFile> files;

  std::int64_t bytes() const;
};

/// JSON text with a checksum of itself.
std::string to_text(const GenerationIndex& index);
/// @param path  for messages
/// @throws Error{input} if it is damaged, Error{environment} if a newer version of the program or a machine of another
///         byte order wrote it
GenerationIndex parse_index(const std::string& text, const std::filesystem::path& path);

/// What `tempera status` shows of a generation.
struct GenerationInfo {
  int number = 0;
  std::string written;
  nlohmann::ordered_json progress;
  std::int64_t bytes = 0;
};
/// Generations in a folder whose index can be read, newest first; empty where there are none. Reads only; contents are
/// not verified.
std::vector<GenerationInfo> list_generations(const std::filesystem::path& folder);

/// Name of the folder of a generation: "generation-000007".
std::string generation_name(int number);
/// Numbers of the complete generations in a folder, newest first, whatever their state.
std::vector<int> generation_numbers(const std::filesystem::path& folder);

}  // namespace tempera
