#include "core/io/npy.hpp"

#include <cmath>
#include <limits>
#include <random>

#include "tests/unit/io/io_fixture.hpp"

namespace tempera {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// The bytes numpy.save writes for this dictionary and payload.
std::string npy_bytes(const std::string& dictionary, const std::string& payload, int version = 1) {
  std::string bytes("\x93NUMPY", 6);
  bytes += static_cast<char>(version);
  bytes += '\0';
  const std::string text = dictionary + "\n";
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) bytes += static_cast<char>(text.size() >> 8 * i & 0xff);
  return bytes + text + payload;
}

std::string dictionary(const std::string& type, bool fortran, const std::string& shape) {
  return "{'descr': '" + type + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
}

template <class T>
std::string payload(const std::vector<T>& values, bool big_endian) {
  std::string bytes;
  for (const T value : values) {
    std::string item(reinterpret_cast<const char*>(&value), sizeof(T));
    if (big_endian) std::reverse(item.begin(), item.end());
    bytes += item;
  }
  return bytes;
}

class Npy : public test::IoTest {
 protected:
  std::string refused(const std::string& bytes) const {
    return refusal([&] { read_npy(file("data.npy", bytes)); });
  }

  template <class T>
  void expect_counting_array(const std::string& letters) const {
    std::vector<T> counted;
    for (int i = 0; i < 6; ++i) counted.push_back(static_cast<T>(i));
    for (const bool big : {false, true})
      for (const bool fortran : {false, true})
        for (const int version : {1, 2, 3}) {
          const std::string type = (sizeof(T) == 1 ? "|" : big ? ">" : "<") + letters;
          const auto tensor = read_npy(
              file("data.npy", npy_bytes(dictionary(type, fortran, "(2, 3)"), payload(counted, big), version)));
          ASSERT_THAT(tensor.shape(), ElementsAre(2, 3));
          if (fortran)
            EXPECT_THAT(tensor.values(), ElementsAre(0, 1, 2, 3, 4, 5)) << type;
          else
            EXPECT_THAT(tensor.values(), ElementsAre(0, 3, 1, 4, 2, 5)) << type;
        }
  }
};

TEST_F(Npy, AClaimedSizeBeyondTheMemoryIsRefusedBeforeItIsAllocated) {
  // 4 TiB of holes, which take no room on the disk.
  const std::string header = npy_bytes(dictionary("<f8", false, "(8192, 8192, 8192)"), "");
  const auto name = file("data.npy", header);
  std::error_code problem;
  std::filesystem::resize_file(name, header.size() + (std::uintmax_t{1} << 42), problem);
  if (problem) GTEST_SKIP() << "the file system holds no file of 4 TiB";
  EXPECT_THAT(refusal([&] { read_npy(name); }, 5),
              testing::MatchesRegex("tempera: error: data.npy: the part that one process reads takes 4.00 TiB of "
                                    "memory, .* are free\nhint: use more MPI ranks .*"));
  const std::vector<Index> corner(3, 8000), extents(3, 2);
  EXPECT_THAT(read_npy_block(name, read_npy_header(name), corner, extents).values(), testing::Each(0.0));
}

TEST_F(Npy, ReadsEveryTypeInBothByteOrdersBothLayoutsAndAllVersions) {
  expect_counting_array<float>("f4");
  expect_counting_array<double>("f8");
  expect_counting_array<std::int8_t>("i1");
  expect_counting_array<std::int16_t>("i2");
  expect_counting_array<std::int32_t>("i4");
  expect_counting_array<std::int64_t>("i8");
  expect_counting_array<std::uint8_t>("u1");
  expect_counting_array<std::uint16_t>("u2");
  expect_counting_array<std::uint32_t>("u4");
  expect_counting_array<std::uint64_t>("u8");
  const auto booleans =
      read_npy(file("data.npy", npy_bytes(dictionary("|b1", false, "(1, 3)"), std::string("\x01\x00\x01", 3))));
  EXPECT_THAT(booleans.values(), ElementsAre(1, 0, 1));
}

TEST_F(Npy, KeepsExtremeValuesAndNegativeIntegers) {
  const std::vector<double> extremes{5e-324, -0.0, 1e308, -1e308};
  EXPECT_TRUE(test::same_bits(
      read_npy(file("a.npy", npy_bytes(dictionary("<f8", true, "(2, 2)"), payload(extremes, false)))).values(),
      extremes));
  const std::vector<std::int64_t> integers{-1, std::numeric_limits<std::int64_t>::min(), std::int64_t{1} << 62, -3};
  EXPECT_THAT(read_npy(file("b.npy", npy_bytes(dictionary(">i8", true, "(2, 2)"), payload(integers, true)))).values(),
              ElementsAre(-1, -0x1p63, 0x1p62, -3));
}

TEST_F(Npy, EveryBlockOfEveryLayoutEqualsThatPartOfTheWhole) {
  const std::uint64_t seed = 20240611;
  std::mt19937_64 random(seed);
  for (int trial = 0; trial < 60; ++trial) {
    const int order = 2 + static_cast<int>(random() % 7);
    std::vector<Index> shape, offsets, extents;
    std::string shape_text = "(";
    Index cells = 1;
    for (int mode = 0; mode < order; ++mode) {
      shape.push_back(1 + static_cast<Index>(random() % (order > 4 ? 3 : 9)));
      offsets.push_back(static_cast<Index>(random() % static_cast<std::uint64_t>(shape.back())));
      extents.push_back(static_cast<Index>(random() % static_cast<std::uint64_t>(shape.back() - offsets.back() + 1)));
      shape_text += std::to_string(shape.back()) + ", ";
      cells *= shape.back();
    }
    std::vector<double> values(static_cast<std::size_t>(cells));
    for (auto& value : values) value = static_cast<double>(random() % 1000);
    const bool fortran = trial % 2 == 0;
    const auto path = file("data.npy", npy_bytes(dictionary("<f8", fortran, shape_text + ")"), payload(values, false)));
    const auto header = read_npy_header(path);
    const auto block = read_npy_block(path, header, offsets, extents);
    ASSERT_EQ(block.shape(), extents);
    if (block.size() == 0) continue;
    std::vector<Index> cell(shape.size(), 0);
    do {
      std::size_t position = 0;
      for (int level = 0; level < order; ++level) {
        const auto mode = static_cast<std::size_t>(fortran ? order - 1 - level : level);
        position =
            position * static_cast<std::size_t>(shape[mode]) + static_cast<std::size_t>(offsets[mode] + cell[mode]);
      }
      ASSERT_EQ(block(cell), values[position]) << "seed " << seed << " trial " << trial;
    } while (next_cell(cell, extents));
  }
}

TEST_F(Npy, BlocksOfAnArrayLargerThanTheBufferAreRight) {
  const std::vector<Index> shape{3, 700, 300};  // 5 MB; the value of a cell is its place in C order
  std::vector<double> values(3 * 700 * 300);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i);
  const auto path = file("data.npy", npy_bytes(dictionary(">f8", false, "(3, 700, 300)"), payload(values, true)));
  const auto header = read_npy_header(path);
  struct Block {
    std::vector<Index> offsets, extents;
  };
  for (const auto& [offsets, extents] :
       {Block{{0, 0, 0}, shape}, Block{{1, 0, 0}, {2, 700, 300}}, Block{{0, 350, 0}, {3, 350, 300}},
        Block{{0, 0, 7}, {3, 700, 1}}, Block{{2, 699, 299}, {1, 1, 1}}, Block{{0, 10, 290}, {3, 3, 10}}}) {
    const auto block = read_npy_block(path, header, offsets, extents);
    std::vector<Index> cell(3, 0);
    do {
      const Index place = ((offsets[0] + cell[0]) * 700 + offsets[1] + cell[1]) * 300 + offsets[2] + cell[2];
      ASSERT_EQ(block(cell), static_cast<double>(place));
    } while (next_cell(cell, extents));
  }
}

TEST_F(Npy, RefusesFilesThatAreCutShortOrNotNpy) {
  const std::string good = npy_bytes(dictionary("<f8", false, "(2, 2)"), std::string(32, '\0'));
  EXPECT_EQ(
      refused(good.substr(0, good.size() - 1)),
      "tempera: error: data.npy: the .npy file is cut short: shape (2, 2) of type <f8 takes 32 bytes, 31 are there\n"
      "hint: copy or write the file again");
  for (std::size_t kept = 1; kept < good.size(); ++kept)
    EXPECT_THAT(refused(good.substr(0, kept)), HasSubstr("is cut short")) << kept;
  EXPECT_EQ(refused("PK\x03\x04 and more bytes of an archive"),
            "tempera: error: data.npy: is not a .npy file (its first bytes are wrong)\nhint: write it with numpy.save");
  EXPECT_EQ(refused(good + "x"),
            "tempera: error: data.npy: 1 bytes follow the array of shape (2, 2)\nhint: keep one array in a file");
  EXPECT_EQ(refused(npy_bytes(dictionary("<f8", false, "(2, 2)"), std::string(32, '\0'), 9)),
            "tempera: error: data.npy: version 9 of the .npy format is unknown\nhint: versions 1 to 3 are read");
  EXPECT_EQ(refused(""), "tempera: error: data.npy: the file is empty\nhint: check that it was written completely");
}

TEST_F(Npy, RefusesHugeClaimedShapesBeforeAllocating) {
  EXPECT_EQ(refused(npy_bytes(dictionary("<f8", false, "(1000000, 1000000)"), "12345678")),
            "tempera: error: data.npy: the .npy file is cut short: shape (1000000, 1000000) of type <f8 takes "
            "8000000000000 bytes, 8 are there\n"
            "hint: copy or write the file again");
  EXPECT_EQ(refused(npy_bytes(dictionary("<f8", false, "(4294967296, 4294967296)"), "12345678")),
            "tempera: error: data.npy: the claimed shape (4294967296, 4294967296) is larger than any file\nhint: the "
            "header is corrupt");
  EXPECT_THAT(refused(npy_bytes(dictionary("<f8", false, "(99999999999999999999, 2)"), "12345678")),
              HasSubstr("header of the .npy file is malformed"));
}

TEST_F(Npy, RefusesTypesThatAreNotPlainNumbers) {
  const std::string hint = "\nhint: convert it to float64 before saving: numpy.save(path, array.astype('f8'))";
  EXPECT_EQ(refused(npy_bytes(dictionary("|O", false, "(2, 2)"), "pickle")),
            "tempera: error: data.npy: holds Python objects (type '|O'), not plain numbers" + hint);
  EXPECT_EQ(
      refused(npy_bytes("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (2, 2), }", std::string(32, '\0'))),
      "tempera: error: data.npy: holds records of several fields, not plain numbers" + hint);
  for (const char* type : {"<c16", "<U4", "|S8", "<f2", "<M8[s]", "|f8", "*f8"})
    EXPECT_EQ(refused(npy_bytes(dictionary(type, false, "(2, 2)"), std::string(64, '\0'))),
              std::string("tempera: error: data.npy: holds values of type '") + type + "', not plain numbers" + hint);
}

TEST_F(Npy, RefusesMalformedHeadersAndShapesThatAreNoTensor) {
  for (const char* text : {"", "{}", "{'descr': '<f8'}", "{'descr': '<f8', 'fortran_order': 1, 'shape': (2, 2)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (2, -2)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (2 2)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2), 'more': 1}",
                           "{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}",
                           "{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)} x"})
    EXPECT_EQ(
        refused(npy_bytes(text, std::string(32, '\0'))),
        "tempera: error: data.npy: the header of the .npy file is malformed\nhint: write it again with numpy.save")
        << text;
  EXPECT_EQ(refused(npy_bytes(dictionary("<f8", false, "(4,)"), std::string(32, '\0'))),
            "tempera: error: data.npy: an array of order 1; orders 2 to 8 are supported\nhint: reshape it with "
            "numpy.reshape");
  EXPECT_EQ(refused(npy_bytes(dictionary("<f8", false, "(1, 1, 1, 1, 1, 1, 1, 1, 4)"), std::string(32, '\0'))),
            "tempera: error: data.npy: an array of order 9; orders 2 to 8 are supported\nhint: reshape it with "
            "numpy.reshape");
  EXPECT_EQ(
      refused(npy_bytes(dictionary("<f8", false, "(4, 0)"), "")),
      "tempera: error: data.npy: the array of shape (4, 0) has no cells\nhint: every mode needs at least one index");
}

TEST_F(Npy, RefusesCellsThatAreNotFiniteByTheirCoordinates) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const auto bytes = [](bool fortran, double bad) {
    std::vector<double> values(6, 1.0);
    values[4] = bad;
    return npy_bytes(dictionary("<f8", fortran, "(2, 3)"), payload(values, false));
  };
  const std::string hint =
      "\nhint: decompose --missing unobserved takes NaN for a missing cell; tempera convert --drop-missing writes the "
      "tensor without them as .tns";
  EXPECT_EQ(refused(bytes(false, nan)),
            "tempera: error: data.npy: the cell at indices (1, 1), counted from 0, is nan" + hint);
  EXPECT_EQ(refused(bytes(true, -infinity)),
            "tempera: error: data.npy: the cell at indices (0, 2), counted from 0, is -inf" + hint);
  const auto path = file("data.npy", bytes(true, nan));
  EXPECT_TRUE(std::isnan(read_npy(path, {.allow_missing = true}).values()[4]));
  EXPECT_EQ(refusal([&] { read_npy(file("other.npy", bytes(true, infinity)), {.allow_missing = true}); }),
            "tempera: error: other.npy: the cell at indices (0, 2), counted from 0, is inf" + hint);
  EXPECT_EQ(refusal([&] {
              read_npy_block(path, read_npy_header(path), std::vector<Index>{0, 1}, std::vector<Index>{1, 2});
            }),
            "tempera: error: data.npy: the cell at indices (0, 2), counted from 0, is nan" + hint);
  const std::vector<std::int64_t> integers{0, (std::int64_t{1} << 53) + 1, 0, 0};
  EXPECT_EQ(refused(npy_bytes(dictionary("<i8", false, "(2, 2)"), payload(integers, false))),
            "tempera: error: data.npy: the cell at indices (0, 1), counted from 0, is 9007199254740993, more digits "
            "than a double holds\n"
            "hint: rescale the data, or save it as float64 if rounding is right");
}

TEST_F(Npy, WritesTheBytesThatNumpyWritesForAFortranArray) {
  DenseTensor tensor({2, 3});
  for (std::size_t i = 0; i < 6; ++i) tensor.values()[i] = static_cast<double>(i) - 0.5;
  write_npy(path("out.npy"), tensor);
  const std::string bytes = test::read_text(path("out.npy"));
  ASSERT_EQ(bytes.size(), 128U + 48U);
  EXPECT_EQ(bytes.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_EQ(bytes.substr(10, 60), "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }  ");
  EXPECT_EQ(bytes[127], '\n');
  EXPECT_TRUE(test::same_bits(read_npy(path("out.npy")).values(), tensor.values()));
}

TEST_F(Npy, ReadsTheRealArrays) {
  TEMPERA_REQUIRE_DATA(amino, "aminoacid-fluorescence/aminoacids.npy");
  TEMPERA_REQUIRE_DATA(kinetic, "kinetic-fluorescence/kinetic.npy");
  TEMPERA_REQUIRE_DATA(titanic, "contingency-tables/Titanic.npy");
  const auto norm = [](const DenseTensor& tensor, Index& missing, Index& negative) {
    double squares = 0;
    for (const double value : tensor.values()) {
      missing += std::isnan(value);
      negative += value < 0;
      squares += std::isnan(value) ? 0 : value * value;
    }
    return std::sqrt(squares);
  };
  Index missing = 0, negative = 0;
  const auto amino_acids = read_npy(amino);
  EXPECT_THAT(amino_acids.shape(), ElementsAre(5, 201, 61));
  EXPECT_NEAR(norm(amino_acids, missing, negative), 47991.950132089245, 1e-8);
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(negative, 881);
  EXPECT_THROW(read_npy(kinetic), Error);
  negative = 0;
  EXPECT_NEAR(norm(read_npy(kinetic, {.allow_missing = true}), missing, negative), 551032.3779872952, 1e-6);
  EXPECT_EQ(missing, 1754);
  EXPECT_EQ(negative, 11);
  double total = 0;
  const auto counts = read_npy(titanic);
  for (const double value : counts.values()) total += value;
  EXPECT_EQ(total, 2201);
}

}  // namespace
}  // namespace tempera
