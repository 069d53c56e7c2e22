#include "core/io/convert.hpp"

#include <cmath>
#include <limits>
#include <random>

#include "core/io/hdf5_file.hpp"
#include "core/io/labels.hpp"
#include "core/io/npy.hpp"
#include "tests/unit/io/io_fixture.hpp"

namespace tempera {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

class Convert : public test::IoTest {
 protected:
  ConvertSummary convert(const std::string& from, const std::string& to, ConvertOptions options = {}) const {
    options.overwrite = true;
    return convert_tensor(TensorFile::parse(from), TensorFile::parse(to), options);
  }
  std::string refused(const std::string& from, const std::string& to, const ConvertOptions& options, int status) const {
    return refusal([&] { convert_tensor(TensorFile::parse(from), TensorFile::parse(to), options); }, status);
  }
  SparseTensor read_sparse(const std::string& name, std::vector<Index> dims = {}) const {
    TensorReadOptions options;
    options.text.dims = std::move(dims);
    return std::get<SparseTensor>(read_tensor(TensorFile::parse(name), options));
  }
  DenseTensor read_dense(const std::string& name) const {
    return std::get<DenseTensor>(read_tensor(TensorFile::parse(name)));
  }
};

/// Random tensor with sizes from 1 on, empty slices, distinct sorted coordinates and values from the whole range of doubles.
SparseTensor random_sparse(std::mt19937_64& random) {
  std::vector<Index> shape(2 + random() % 7);
  for (auto& size : shape) size = 1 + static_cast<Index>(random() % 4);
  SparseTensor tensor(shape);
  const std::size_t entries = 1 + random() % 20;
  for (std::size_t k = 0; k < entries; ++k) {
    std::vector<Index> cell;
    for (const Index size : shape) cell.push_back(static_cast<Index>(random() % static_cast<std::uint64_t>(size)));
    tensor.append(cell, std::ldexp(static_cast<double>(1 + random() % 1000), static_cast<int>(random() % 2080) - 1074));
  }
  auto values = tensor.values();
  for (auto& value : values)
    if (!std::isfinite(value)) value = 5e-324;
  // Sums of duplicates could overflow or depend on the order; the copies are given the value zero.
  SparseTensor distinct(shape);
  tensor.sum_duplicates();
  std::vector<Index> cell(shape.size());
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    for (std::size_t mode = 0; mode < cell.size(); ++mode) cell[mode] = tensor.indices(static_cast<int>(mode))[k];
    const double value = tensor.values()[k];
    distinct.append(cell, std::isfinite(value) ? value : 1e308);
  }
  return distinct;
}

TEST_F(Convert, SparseTensorsSurviveEveryChainOfFormatsBitForBit) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    const auto tensor = random_sparse(random);
    write_hdf5(path("start.h5"), tensor);
    convert(path("start.h5"), path("a.tns"));
    convert(path("a.tns"), path("b.tns.gz"), {.output_index_base = 0, .dims = tensor.shape()});
    convert(path("b.tns.gz"), path("c.h5:/deep/er"), {.index_base = 0, .dims = tensor.shape()});
    convert(path("c.h5:/deep/er"), path("d.npy"));
    convert(path("d.npy"), path("e.h5"), {.layout = ConvertOptions::Layout::sparse, .drop_zeros = true});
    for (const char* name : {"c.h5:/deep/er", "e.h5"}) {
      auto back = read_sparse(path(name));
      back.sum_duplicates();  // sorts: dense formats list the cells in their own order
      test::expect_identical(back, tensor);
    }
  }
}

TEST_F(Convert, DenseTensorsSurviveEveryChainOfFormatsBitForBit) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    std::mt19937_64 random(seed);
    std::vector<Index> shape(2 + random() % 7);
    for (auto& size : shape) size = 1 + static_cast<Index>(random() % 4);
    DenseTensor tensor(shape);
    for (auto& value : tensor.values())
      value = random() % 3 == 0 ? 0.0 : std::ldexp(-1.7, static_cast<int>(random() % 2000) - 1040);
    tensor.values()[0] = -0.0;
    write_npy(path("start.npy"), tensor);
    convert(path("start.npy"), path("a.h5"));
    const auto text = convert(path("a.h5"), path("b.tns"));
    EXPECT_TRUE(text.dense);
    EXPECT_EQ(text.entries, tensor.size());
    convert(path("b.tns"), path("c.npy"));
    convert(path("b.tns"), path("d.h5"), {.layout = ConvertOptions::Layout::dense});
    for (const char* name : {"a.h5", "c.npy", "d.h5"}) {
      const auto back = read_dense(path(name));
      ASSERT_EQ(back.shape(), shape);
      EXPECT_TRUE(test::same_bits(back.values(), tensor.values())) << name;
    }
  }
}

TEST_F(Convert, SumsDuplicatesAndSaysHowMany) {
  const auto input = file("in.tns", "1 1 1\n2 2 5\n1 1 2.5\n1 1 1\n");
  const auto summary = convert(input, path("out.tns"));
  EXPECT_EQ(summary.merged, 2);
  EXPECT_EQ(summary.entries, 2);
  const auto tensor = read_sparse(path("out.tns"));
  EXPECT_THAT(tensor.values(), ElementsAre(4.5, 5));
}

TEST_F(Convert, DropsZerosAndMissingCellsOnlyWhenAsked) {
  DenseTensor tensor({2, 2});
  tensor.values()[1] = 3;
  tensor.values()[2] = std::numeric_limits<double>::quiet_NaN();
  write_npy(path("in.npy"), tensor);
  EXPECT_THAT(refused(path("in.npy"), path("out.tns"), {}, 3),
              StartsWith("tempera: error: in.npy: the cell at indices (0, 1), counted from 0, is nan"));
  auto summary = convert(path("in.npy"), path("out.tns"), {.drop_missing = true});
  EXPECT_EQ(summary.missing_dropped, 1);
  EXPECT_EQ(summary.entries, 3);
  EXPECT_FALSE(summary.dense);
  summary = convert(path("in.npy"), path("out.tns"), {.drop_zeros = true, .drop_missing = true});
  EXPECT_EQ(summary.zeros_dropped, 2);
  EXPECT_THAT(read_sparse(path("out.tns"), {2, 2}).values(), ElementsAre(3));
  EXPECT_EQ(refused(path("in.npy"), path("out.h5"), {.drop_missing = true}, 2),
            "tempera: error: --drop-missing: a dense output has every cell\nhint: write .tns, or pass --sparse for a "
            "sparse .h5");
  const auto zeros = file("zeros.tns", "1 1 0\n");
  EXPECT_EQ(refused(zeros, path("none.tns"), {.drop_zeros = true}, 3),
            "tempera: error: none.tns: no entry is left to write\nhint: keep the zeros, or write .h5");
}

TEST_F(Convert, DimsEnlargeSparseInputsAndNothingElse) {
  const auto input = file("in.tns", "1 1 1\n2 2 5\n");
  convert(input, path("a.h5"), {.dims = {4, 3}});
  EXPECT_THAT(convert(path("a.h5"), path("b.h5"), {.dims = {4, 7}}).shape, ElementsAre(4, 7));
  convert(path("a.h5"), path("c.npy"));
  EXPECT_EQ(refused(path("a.h5"), path("d.h5"), {.dims = {4, 2}}, 3),
            "tempera: error: mode 1 has indices up to 3, more than the given size 2\nhint: sizes may enlarge a tensor, "
            "never cut it");
  EXPECT_EQ(refused(path("c.npy"), path("d.h5"), {.dims = {5, 5}}, 3),
            "tempera: error: c.npy: a dense tensor of shape 4 x 3 cannot be given the sizes 5 x 5\n"
            "hint: leave --dims out: it is for sparse tensors");
}

TEST_F(Convert, RefusesOutputsThatExistCannotBeWrittenOrDoNotFit) {
  const auto input = file("in.tns", "1 1 1\n1000000 1000000 5\n");
  const auto existing = file("old.h5", "precious");
  EXPECT_EQ(refused(input, existing, {}, 5),
            "tempera: error: old.h5: the output exists already\nhint: pass --overwrite to replace it, or choose "
            "another name");
  EXPECT_EQ(test::read_text(existing), "precious");
  std::filesystem::create_directory(path("folder.h5"));
  EXPECT_EQ(refused(input, path("folder.h5"), {.overwrite = true}, 5),
            "tempera: error: folder.h5: the output is an existing folder\nhint: name a file inside it");
  EXPECT_EQ(refused(input, path("absent/out.h5"), {}, 5),
            "tempera: error: absent/out.h5: cannot be written: No such file or directory\n"
            "hint: the folder must exist");
  EXPECT_EQ(refused(input, path("out.npy"), {.memory_bytes = 1e9}, 5),
            "tempera: error: out.npy: a dense tensor of shape 1000000 x 1000000 takes 7.28 TiB, 954 MiB are free\n"
            "hint: keep it sparse: write .tns or .h5 without --dense");
  EXPECT_EQ(
      refused(input, path("out.npy"), {.layout = ConvertOptions::Layout::sparse}, 2),
      "tempera: error: --sparse: a .npy file holds dense arrays only\nhint: write .tns or .h5, or leave --sparse out");
  EXPECT_EQ(refusal([] { TensorFile::parse("data.csv"); }, 2),
            "tempera: error: data.csv: the extension names no tensor format\n"
            "hint: known are .tns .tns.gz .npy .h5 .hdf5 and FILE.h5:/PATH");
}

TEST_F(Convert, AFileCanBeReplacedByItsOwnConversion) {
  const auto name = file("data.tns", "1 1 1\n1 1 2\n");
  EXPECT_EQ(convert(name, name).merged, 1);
  EXPECT_THAT(read_sparse(name).values(), ElementsAre(3));
}

TEST_F(Convert, LabelsGoWithTheTensor) {
  const auto input = file("in.tns", "1 1 1\n2 3 5\n");
  const TensorLabels labels{{"row", {"top", "bottom \"x\""}}, {"", {"ä", "b", "c"}}};
  write_labels(labels_path(input), labels);
  EXPECT_TRUE(convert(input, path("out.h5:/a/b")).labels_written);
  const auto back = read_labels_beside(path("out.h5"), std::vector<Index>{2, 3});
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ((*back)[0].name, "row");
  EXPECT_EQ((*back)[0].labels, labels[0].labels);
  EXPECT_EQ((*back)[1].name, "");
  EXPECT_EQ((*back)[1].labels, labels[1].labels);
  EXPECT_EQ(read_labels_beside(path("absent.h5"), std::vector<Index>{2, 3}), std::nullopt);
}

TEST_F(Convert, ObjectsInHdf5FilesAreNamedAfterAColon) {
  EXPECT_EQ(TensorFile::parse("a/b.h5").object, "/tensor");
  EXPECT_EQ(TensorFile::parse("a/b.hdf5:/x/y/").object, "/x/y");
  EXPECT_EQ(TensorFile::parse("a/b.h5:x").object, "/x");
  EXPECT_EQ(TensorFile::parse("a:b.h5:/x").path, "a:b.h5");
  EXPECT_EQ(TensorFile::parse("a.tns.gz").format, TensorFile::Format::tns_gz);
}

TEST_F(Convert, InfoTellsShapeAndSizeWithoutReadingValues) {
  const auto text = file("in.tns", "1 1 1 1\n2 3 1 5\n");
  auto info = read_tensor_info(TensorFile::parse(text));
  EXPECT_EQ(info.order, 3);
  EXPECT_TRUE(info.shape.empty());
  EXPECT_EQ(info.file_bytes, 16);
  convert(text, path("a.h5"));
  info = read_tensor_info(TensorFile::parse(path("a.h5")), {.dims = {9, 9, 9}});
  EXPECT_THAT(info.shape, ElementsAre(9, 9, 9));
  EXPECT_EQ(info.nonzeros, 2);
  convert(text, path("a.npy"));
  info = read_tensor_info(TensorFile::parse(path("a.npy")));
  EXPECT_TRUE(info.dense);
  EXPECT_EQ(info.nonzeros, 6);
}

TEST_F(Convert, TheAminoAcidFilesAreTheSameTensor) {
  TEMPERA_REQUIRE_DATA(array, "aminoacid-fluorescence/aminoacids.npy");
  TEMPERA_REQUIRE_DATA(text, "aminoacid-fluorescence/aminoacids.tns.gz");
  const auto summary = convert(text, path("a.npy"));
  EXPECT_EQ(summary.merged, 0);
  EXPECT_EQ(summary.entries, 61305);
  EXPECT_TRUE(test::same_bits(read_dense(path("a.npy")).values(), read_npy(array).values()));
}

TEST_F(Convert, TheContingencyTablesAreTheSameAsTextAndAsArrays) {
  for (const char* name : {"HairEyeColor", "Titanic", "UCBAdmissions"}) {
    TEMPERA_REQUIRE_DATA(array, std::string("contingency-tables/") + name + ".npy");
    TEMPERA_REQUIRE_DATA(text, std::string("contingency-tables/") + name + ".tns");
    convert(text, path("a.npy"), {.dims = read_npy_header(array).shape});
    EXPECT_TRUE(test::same_bits(read_dense(path("a.npy")).values(), read_npy(array).values())) << name;
  }
}

}  // namespace
}  // namespace tempera
