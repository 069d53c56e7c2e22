#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <boost/serialization/map.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/random_stream.hpp"
#include "distributed/checkpoint/checkpoint_store.hpp"
#include "tests/support/data.hpp"

namespace tempera::test {

/// A matrix whose entries anybody can work out: any bit pattern, NaN and -0.0 among them.
template <class T>
T sample_entry(int generation, Index row, Index column) {
  RandomStream stream(7, "sample-entry", {generation, row, column});
  const std::uint64_t bits = stream.next_u64();
  if constexpr (std::is_same_v<T, double>) {
    if (bits % 17 == 0) return -0.0;
    return std::bit_cast<double>(bits);
  }
  return static_cast<T>(bits);
}

/// Who has a row: any rank or, about once in `ranks` + 1 rows, none (−1).
inline int owner_of(Index row, int ranks) {
  RandomStream stream(3, "row-owner", {row, ranks});
  return static_cast<int>(stream.uniform_index(ranks + 1)) - 1;
}

inline std::vector<Index> rows_of_rank(Index total, const Communicator& ranks) {
  std::vector<Index> rows;
  for (Index row = 0; row < total; ++row)
    if (owner_of(row, ranks.size()) == ranks.rank()) rows.push_back(row);
  return rows;
}

/// Rows of this rank with `padding` entries after each.
template <class T>
std::vector<T> sample_rows(int generation, const std::vector<Index>& rows, Index columns, Index padding) {
  std::vector<T> values;
  for (const Index row : rows) {
    for (Index c = 0; c < columns; ++c) values.push_back(sample_entry<T>(generation, row, c));
    values.insert(values.end(), static_cast<std::size_t>(padding), T{42});
  }
  return values;
}

/// Compares bits: what nobody had is zero, what lies between the rows is untouched.
template <class T>
void expect_rows(const CheckpointReader& reader, const std::string& name, int generation, Index columns, int writers,
                 const std::vector<Index>& wanted, Index padding) {
  std::vector<T> values(wanted.size() * static_cast<std::size_t>(columns + padding), T{42});
  reader.rows(name, columns, std::span<const Index>(wanted), values.data(), columns + padding);
  std::size_t wrong = 0, at = 0;
  for (const Index row : wanted) {
    const bool owned = owner_of(row, writers) >= 0;
    for (Index c = 0; c < columns + padding; ++c, ++at) {
      const T expected = c >= columns ? T{42} : owned ? sample_entry<T>(generation, row, c) : T{0};
      if (std::bit_cast<std::uint64_t>(values[at]) != std::bit_cast<std::uint64_t>(expected)) ++wrong;
    }
  }
  EXPECT_EQ(wrong, 0u) << name << " of generation " << generation;
}

/// A small state with every type of part, different in each generation.
class SampleState {
 public:
  static constexpr Index kRows = 61;
  static constexpr std::int64_t kSegmentStep = 300;  // bytes a generation

  SampleState(const Communicator& ranks, const std::filesystem::path& folder, const CheckpointReader* from = nullptr)
      : ranks_(ranks), segment_(ranks, folder, "draws", from) {}

  static std::map<std::string, std::vector<double>> object(int generation) {
    return {{"steps", {1.0 * generation, 2.5}}, {"none", {}}};
  }
  static std::byte segment_byte(std::int64_t offset) { return static_cast<std::byte>(offset * 31 % 251); }

  void write(CheckpointStore& store, int generation) {
    const std::vector<Index> mine = rows_of_rank(kRows, ranks_);
    const auto reals = sample_rows<double>(generation, mine, 3, 1);
    const auto whole = sample_rows<std::int64_t>(generation, mine, 1, 0);
    std::vector<std::byte> draws(kSegmentStep);
    const std::int64_t begin = kSegmentStep * (generation - 1);
    for (std::int64_t k = 0; k < kSegmentStep; ++k) draws[static_cast<std::size_t>(k)] = segment_byte(begin + k);
    if (ranks_.rank() == ranks_.size() - 1) segment_.write(begin, draws);
    store.write(ranks_, {{"iteration", generation}}, [&](CheckpointWriter& writer) {
      writer.object("state", object(generation));
      writer.object("name", std::string("generation ") + std::to_string(generation));
      writer.rows("/reals", kRows, 3, std::span<const Index>(mine), reals.data(), 4);
      writer.rows("/whole", kRows, 1, std::span<const Index>(mine), whole.data(), 1);
      writer.segment(segment_, begin + kSegmentStep);
    });
  }

  /// Everything in the reader is as generation `reader.generation()` left it.
  static void expect(const CheckpointReader& reader, int writers, const std::filesystem::path& folder) {
    const int generation = reader.generation();
    EXPECT_EQ(reader.progress().at("iteration"), generation);
    std::map<std::string, std::vector<double>> restored;
    reader.object("state", restored);
    EXPECT_EQ(restored, object(generation));
    std::string name;
    reader.object("name", name);
    EXPECT_EQ(name, "generation " + std::to_string(generation));
    std::vector<Index> wanted;
    for (Index row = kRows - 1; row >= 0; --row) wanted.push_back(row);
    expect_rows<double>(reader, "/reals", generation, 3, writers, wanted, 2);
    expect_rows<std::int64_t>(reader, "/whole", generation, 1, writers, wanted, 0);
    const StoredFile* segment = reader.segment("draws");
    ASSERT_NE(segment, nullptr);
    EXPECT_EQ(segment->bytes, kSegmentStep * generation);
    const std::string text = read_text(folder / "draws.segment");
    ASSERT_GE(std::ssize(text), segment->bytes);
    for (std::int64_t k = 0; k < segment->bytes; ++k)
      ASSERT_EQ(static_cast<std::byte>(text[static_cast<std::size_t>(k)]), segment_byte(k));
  }

 private:
  const Communicator& ranks_;
  CheckpointSegment segment_;
};

/// Every file below a folder: its path in the folder and its bytes.
inline std::map<std::string, std::string> all_files(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) files[entry.path().lexically_relative(folder).string()] = read_text(entry.path());
  return files;
}

}  // namespace tempera::test
