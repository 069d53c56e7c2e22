#include "distributed/checkpoint/generation_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <iterator>

#include "core/base/error.hpp"
#include "core/base/sha256.hpp"

namespace tempera {

using nlohmann::ordered_json;

namespace {

constexpr int kFormat = 1;
constexpr const char* kByteOrder = std::endian::native == std::endian::little ? "little" : "big";
constexpr std::string_view kPrefix = "generation-";
constexpr const char* kTypes[] = {"float64", "int64", "uint64"};

std::string digest(const std::string& text) {
  Sha256 sha;
  sha.update(std::as_bytes(std::span(text)));
  return sha.hex();
}

ordered_json to_json(const StoredFile& file) {
  ordered_json regions = ordered_json::array();
  for (const BlockDigests& region : file.regions)
    regions.push_back({{"offset", region.offset},
                       {"bytes", region.bytes},
                       {"block_bytes", region.block_bytes},
                       {"sha256", region.sha256}});
  return {{"name", file.name}, {"segment", file.segment}, {"bytes", file.bytes}, {"regions", regions}};
}

StoredFile file_from(const ordered_json& json) {
  StoredFile file{json.at("name"), json.at("segment"), json.at("bytes"), {}};
  for (const ordered_json& region : json.at("regions"))
    file.regions.push_back({region.at("offset"), region.at("bytes"), region.at("block_bytes"), region.at("sha256")});
  return file;
}

ordered_json to_json(const StoredRows& rows) {
  return {{"name", rows.array.name},      {"type", kTypes[static_cast<int>(rows.array.type)]},
          {"rows", rows.array.rows},      {"columns", rows.array.columns},
          {"offset", rows.offset},        {"region", rows.region},
          {"block_rows", rows.block_rows}};
}

StoredRows rows_from(const ordered_json& json) {
  const std::string type = json.at("type");
  const auto found = std::find(std::begin(kTypes), std::end(kTypes), type);
  if (found == std::end(kTypes)) throw std::runtime_error("unknown type " + type);
  StoredRows rows;
  rows.array = {json.at("name"), static_cast<ArrayType>(found - std::begin(kTypes)), json.at("rows"),
                json.at("columns")};
  rows.offset = json.at("offset");
  rows.region = json.at("region");
  rows.block_rows = json.at("block_rows");
  return rows;
}

/// The checksum holds for what the program wrote; a consistent index of another origin may still be nonsense.
void check_consistent(const GenerationIndex& index) {
  const auto require = [](bool good, const char* what) {
    if (!good) throw std::runtime_error(what);
  };
  for (const StoredFile& file : index.files)
    for (const BlockDigests& region : file.regions) {
      require(region.offset >= 0 && region.bytes >= 0 && region.block_bytes > 0, "a region is negative");
      require(region.bytes <= file.bytes - region.offset, "a region ends beyond its file");
      require(std::ssize(region.sha256) == region.blocks(), "a region has another number of checksums");
    }
  for (const StoredRows& rows : index.arrays)
    require(rows.array.rows >= 0 && rows.array.columns >= 0 && rows.block_rows > 0, "an array is negative");
  for (const StoredObject& object : index.objects)
    require(object.offset >= 0 && object.bytes >= 0, "an object is negative");
}

ordered_json body_of(const GenerationIndex& index) {
  ordered_json json;
  json["format"] = kFormat;
  json["byte_order"] = kByteOrder;
  json["generation"] = index.generation;
  json["written"] = index.written;
  json["progress"] = index.progress;
  json["bytes"] = index.bytes();
  json["configuration"] = index.identity.configuration;
  json["input_sha256"] = index.identity.input_sha256;
  json["objects"] = ordered_json::array();
  for (const StoredObject& object : index.objects)
    json["objects"].push_back(
        {{"name", object.name}, {"version", object.version}, {"offset", object.offset}, {"bytes", object.bytes}});
  json["arrays"] = ordered_json::array();
  for (const StoredRows& rows : index.arrays) json["arrays"].push_back(to_json(rows));
  json["files"] = ordered_json::array();
  for (const StoredFile& file : index.files) json["files"].push_back(to_json(file));
  return json;
}

}  // namespace

std::int64_t GenerationIndex::bytes() const {
  std::int64_t sum = 0;
  for (const StoredFile& file : files) sum += file.bytes;
  return sum;
}

std::string to_text(const GenerationIndex& index) {
  ordered_json json = body_of(index);
  json["sha256"] = digest(json.dump());
  return json.dump(1) + "\n";
}

GenerationIndex parse_index(const std::string& text, const std::filesystem::path& path) {
  constexpr const char* kHint = "the generation before it may be whole";
  try {
    ordered_json json = ordered_json::parse(text);
    const std::string claimed = json.at("sha256");
    json.erase("sha256");
    if (digest(json.dump()) != claimed) throw std::runtime_error("its checksum does not fit");
    if (json.at("format") != kFormat)
      throw Error(
          Category::environment, path.string(),
          fmt::format("the checkpoint has format {}, this version reads format {}", json.at("format").dump(), kFormat),
          "resume with the version of tempera that wrote it");
    if (json.at("byte_order") != kByteOrder)
      throw Error(Category::environment, path.string(), "the checkpoint was written on a machine of another byte order",
                  "resume on a machine like that one");
    GenerationIndex index;
    index.generation = json.at("generation");
    index.written = json.at("written");
    index.progress = json.at("progress");
    index.identity.configuration = json.at("configuration");
    index.identity.input_sha256 = json.at("input_sha256");
    for (const ordered_json& object : json.at("objects"))
      index.objects.push_back({object.at("name"), object.at("version"), object.at("offset"), object.at("bytes")});
    for (const ordered_json& rows : json.at("arrays")) index.arrays.push_back(rows_from(rows));
    for (const ordered_json& file : json.at("files")) index.files.push_back(file_from(file));
    check_consistent(index);
    return index;
  } catch (const Error&) {
    throw;
  } catch (const nlohmann::json::exception&) {
    throw Error(Category::input, path.string(), "the checkpoint's index is damaged or cut short", kHint);
  } catch (const std::runtime_error& error) {
    throw Error(Category::input, path.string(), fmt::format("the checkpoint's index is damaged: {}", error.what()),
                kHint);
  }
}

std::string generation_name(int number) {
  return fmt::format("{}{:06}", kPrefix, number);
}

std::vector<int> generation_numbers(const std::filesystem::path& folder) {
  std::vector<int> numbers;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    const std::string digits = name.substr(kPrefix.size());
    if (digits.empty() || digits.size() > 9 || digits.find_first_not_of("0123456789") != std::string::npos) continue;
    numbers.push_back(std::stoi(digits));
  }
  std::sort(numbers.rbegin(), numbers.rend());
  return numbers;
}

std::vector<GenerationInfo> list_generations(const std::filesystem::path& folder) {
  std::vector<GenerationInfo> result;
  for (const int number : generation_numbers(folder)) {
    const auto path = folder / generation_name(number) / "index.json";
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    try {
      const GenerationIndex index = parse_index(text, path);
      result.push_back({number, index.written, index.progress, index.bytes()});
    } catch (const Error&) {  // shown as absent
    }
  }
  return result;
}

}  // namespace tempera
