#include "core/io/hdf5_file.hpp"

#include <cerrno>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

#include "core/io/detail/hdf5_handle.hpp"
#include "core/io/hdf5_arrays.hpp"
#include "tests/unit/io/io_fixture.hpp"

namespace tempera {
namespace {

using testing::ElementsAre;

class Hdf5 : public test::IoTest {
 protected:
  static DenseTensor counted(std::vector<Index> shape) {
    DenseTensor tensor(std::move(shape));
    for (std::size_t i = 0; i < tensor.values().size(); ++i) tensor.values()[i] = static_cast<double>(i) + 0.25;
    return tensor;
  }
  static SparseTensor sample() {
    SparseTensor tensor({4, 3, 1000000000000});
    tensor.append(std::vector<Index>{0, 2, 999999999999}, -0.0);
    tensor.append(std::vector<Index>{3, 0, 0}, 5e-324);
    tensor.append(std::vector<Index>{1, 1, 77}, 1e308);
    return tensor;
  }
};

// Bytes 20 to 23 of a superblock of version 0: bit 0 says that a program has the file open for writing.
TEST_F(Hdf5, WrittenFilesAreMarkedAsClosed) {
  write_hdf5(folder_ / "dense.h5", counted({3, 4}));
  write_hdf5(folder_ / "sparse.h5", sample());
  const std::vector<Index> shape{2, 2};
  const std::vector<double> weights{1.0};
  KruskalWriter writer(folder_ / "factors.h5", shape, 4, weights);
  for (const int mode : {0, 1}) writer.append_rows(mode, 0, std::vector<double>{1, 2});
  writer.commit();
  create_hdf5_arrays(folder_ / "arrays.h5", std::vector<ArraySpec>{{"/a/b", ArrayType::float64, 5, 3}});
  for (const char* name : {"dense.h5", "sparse.h5", "factors.h5", "arrays.h5"}) {
    const std::string bytes = test::read_text(folder_ / name);
    ASSERT_GT(bytes.size(), 96u) << name;
    EXPECT_EQ(bytes[8], 0) << name << ": version of the superblock";
    EXPECT_EQ(bytes.substr(20, 4), std::string(4, '\0')) << name;
  }
}

TEST_F(Hdf5, DenseBlocksEqualThatPartOfTheWholeForEveryOrder) {
  const std::uint64_t seed = 7;
  std::mt19937_64 random(seed);
  for (int trial = 0; trial < 30; ++trial) {
    const int order = 2 + trial % 7;
    std::vector<Index> shape, offsets, extents;
    for (int mode = 0; mode < order; ++mode) {
      shape.push_back(1 + static_cast<Index>(random() % 6));
      offsets.push_back(static_cast<Index>(random() % static_cast<std::uint64_t>(shape.back())));
      extents.push_back(static_cast<Index>(random() % static_cast<std::uint64_t>(shape.back() - offsets.back() + 1)));
    }
    const auto tensor = counted(shape);
    write_hdf5(path("data.h5"), tensor, "/group/tensor");
    const auto info = read_hdf5_info(path("data.h5"), "/group/tensor");
    EXPECT_TRUE(info.dense);
    ASSERT_EQ(info.shape, shape);
    EXPECT_EQ(info.nonzeros, tensor.size());
    const auto block = read_hdf5_block(path("data.h5"), "/group/tensor", offsets, extents);
    ASSERT_EQ(block.shape(), extents);
    if (block.size() == 0) continue;
    std::vector<Index> cell(shape.size(), 0), global(shape.size());
    do {
      for (std::size_t mode = 0; mode < shape.size(); ++mode) global[mode] = offsets[mode] + cell[mode];
      ASSERT_EQ(block(cell), tensor(global)) << "seed " << seed << " trial " << trial;
    } while (next_cell(cell, extents));
  }
}

TEST_F(Hdf5, TensorsLargerThanTheBuffersComeBackWhole) {
  const auto tensor = counted({70, 90, 110});
  write_hdf5(path("data.h5"), tensor);
  EXPECT_TRUE(test::same_bits(
      read_hdf5_block(path("data.h5"), "/tensor", std::vector<Index>(3, 0), tensor.shape()).values(), tensor.values()));
  SparseTensor many({1000, 1000, 1000});
  for (Index k = 0; k < 300000; ++k)
    many.append(std::vector<Index>{k % 1000, (k * 7) % 1000, k / 1000}, static_cast<double>(k));
  write_hdf5(path("many.h5"), many);
  test::expect_identical(read_hdf5_nonzeros(path("many.h5"), "/tensor", 0, 300000), many);
}

TEST_F(Hdf5, SparseRangesTileTheWhole) {
  const auto tensor = sample();
  write_hdf5(path("data.h5"), tensor);
  const auto info = read_hdf5_info(path("data.h5"));
  EXPECT_FALSE(info.dense);
  EXPECT_EQ(info.shape, tensor.shape());
  EXPECT_EQ(info.nonzeros, 3);
  EXPECT_EQ(info.index_base, 0);
  test::expect_identical(read_hdf5_nonzeros(path("data.h5"), "/tensor", 0, 3), tensor);
  const auto last = read_hdf5_nonzeros(path("data.h5"), "/tensor", 2, 1);
  EXPECT_EQ(last.shape(), tensor.shape());
  EXPECT_THAT(test::column(last, 2), ElementsAre(77));
  EXPECT_EQ(read_hdf5_nonzeros(path("data.h5"), "/tensor", 3, 0).nonzeros(), 0);
}

TEST_F(Hdf5, AKruskalModelWrittenInRowBlocksComesBack) {
  KruskalTensor model{{3.0, 0.5, 0.25}, {FactorMatrix(5, 3), FactorMatrix(1, 3), FactorMatrix(4, 3)}};
  double next = 0;
  for (auto& factor : model.factors)
    for (Index i = 0; i < factor.rows(); ++i)
      for (Index r = 0; r < 3; ++r) factor(i, r) = next++;
  {
    KruskalWriter writer(path("factors.h5"), model.shape(), 42, model.weights);
    writer.append_rows(2, 0, model.factors[2]);
    writer.append_rows(0, 0, std::vector<double>{0, 1, 2, 3, 4, 5});
    writer.append_rows(1, 0, model.factors[1]);
    writer.append_rows(0, 2, std::vector<double>{});
    writer.append_rows(0, 2, std::vector<double>{6, 7, 8, 9, 10, 11, 12, 13, 14});
    EXPECT_FALSE(std::filesystem::exists(path("factors.h5")));
    writer.commit();
  }
  const auto back = read_hdf5_kruskal(path("factors.h5"));
  EXPECT_EQ(back.weights, model.weights);
  ASSERT_EQ(back.shape(), model.shape());
  for (std::size_t mode = 0; mode < 3; ++mode)
    EXPECT_TRUE(test::same_bits(back.factors[mode].storage(), model.factors[mode].storage()))
        << "padding included, mode " << mode;
}

TEST_F(Hdf5, AnUnfinishedFileLeavesNothingBehind) {
  {
    KruskalWriter writer(path("factors.h5"), std::vector<Index>{2, 2}, 4, std::vector<double>{1.0});
    writer.append_rows(0, 0, std::vector<double>{1});
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Hdf5, AModelOfSizesWhoseSumOverflowsIsRefusedForWantOfRoom) {
  const std::vector<Index> shape{std::numeric_limits<Index>::max(), 4, 3};
  EXPECT_THAT(refusal([&] { KruskalWriter(path("factors.h5"), shape, 1, std::vector<double>{1.0}); }, 5),
              testing::MatchesRegex("tempera: error: factors.h5: cannot be written: about 64.0 EiB are needed, .* are "
                                    "free\nhint: free some space, or write to another disk"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(Hdf5, AFailureInsideTheLibraryIsNotGivenTheReasonOfAnEarlierOne) {
  // No object can be made where the root group is already, and the system is not asked.
  const std::vector<Index> shape{2, 2};
  const std::function<void(const detail::Hdf5Output&)> actions[] = {
      [](const auto& output) { output.create_group("/"); },
      [&](const auto& output) { output.create_dataset("/", H5T_IEEE_F64LE, shape); },
      [](const auto& output) { output.write_attribute(-1, "name", Index{0}); },
      [&](const auto& output) { output.write_attribute(-1, "name", shape); }};
  const auto attempt = [&](const auto& action) {
    const detail::Hdf5Output output(path("data.h5"), 0);
    errno = EACCES;
    action(output);
  };
  for (const auto& action : actions)
    EXPECT_EQ(refusal([&] { attempt(action); }, 5), "tempera: error: data.h5: cannot be written: Input/output error");
}

TEST_F(Hdf5, RefusesWhatIsNotThereOrNotATensor) {
  write_hdf5(path("data.h5"), sample(), "/words/counts");
  EXPECT_EQ(refusal([&] { read_hdf5_info(path("data.h5")); }),
            "tempera: error: data.h5:/tensor: the HDF5 file has no such dataset\n"
            "hint: name one as FILE.h5:/PATH; it holds /words/counts");
  EXPECT_EQ(refusal([&] { read_hdf5_info(path("data.h5"), "/words"); }),
            "tempera: error: data.h5:/words: the HDF5 file has no such dataset\n"
            "hint: name one as FILE.h5:/PATH; it holds /words/counts");
  EXPECT_EQ(refusal([&] { read_hdf5_info(path("data.h5"), "/words/counts/values"); }),
            "tempera: error: data.h5:/words/counts/values: a tensor of order 1; orders 2 to 8 are supported\nhint: "
            "reshape it");
  EXPECT_EQ(refusal([&] {
              read_hdf5_block(path("data.h5"), "/words/counts", std::vector<Index>(3, 0), std::vector<Index>(3, 1));
            }),
            "tempera: error: data.h5:/words/counts: holds a sparse tensor where a dense one is wanted\n"
            "hint: convert it with tempera convert --dense");
  EXPECT_EQ(
      refusal([&] { read_hdf5_info(file("text.h5", "1 1 1\n")); }),
      "tempera: error: text.h5: is not an HDF5 file\nhint: its name says .h5 or .hdf5; h5ls shows what can be read");
  EXPECT_EQ(refusal([&] { read_hdf5_info(file("cut.h5", test::read_text(path("data.h5")).substr(0, 1000))); }),
            "tempera: error: cut.h5: the HDF5 file is damaged, cut short or being written\n"
            "hint: copy it again; h5ls shows what can be read");
  EXPECT_EQ(refusal([&] { read_hdf5_info(path("absent.h5")); }),
            "tempera: error: absent.h5: no such file\nhint: check the path; it is relative to the working directory");
  EXPECT_EQ(refusal([&] { read_hdf5_kruskal(path("data.h5")); }),
            "tempera: error: data.h5:/lambda: the HDF5 file has no such dataset\n"
            "hint: name one as FILE.h5:/PATH; it holds /words/counts");
}

TEST_F(Hdf5, RefusesCellsThatAreNotFiniteAndIndicesOutsideTheShape) {
  auto dense = counted({2, 3});
  dense(std::vector<Index>{1, 2}) = std::numeric_limits<double>::quiet_NaN();
  write_hdf5(path("data.h5"), dense);
  const std::vector<Index> corner{1, 1}, rest{1, 2};
  EXPECT_EQ(
      refusal([&] { read_hdf5_block(path("data.h5"), "/tensor", corner, rest); }),
      "tempera: error: data.h5:/tensor: the cell at indices (1, 2), counted from 0, is nan\n"
      "hint: decompose --missing unobserved takes NaN for a missing cell; tempera convert --drop-missing writes the "
      "tensor without them as .tns");
  EXPECT_TRUE(std::isnan(read_hdf5_block(path("data.h5"), "/tensor", corner, rest, true).values()[1]));
  auto sparse = sample();
  sparse.values()[1] = std::numeric_limits<double>::infinity();
  write_hdf5(path("sparse.h5"), sparse);
  EXPECT_EQ(
      refusal([&] { read_hdf5_nonzeros(path("sparse.h5"), "/tensor", 1, 2); }),
      "tempera: error: sparse.h5:/tensor/values: row 1: the value is inf\n"
      "hint: leave the entry out: absent entries count as zeros, with decompose --missing unobserved as missing cells");
  auto outside = sample();
  outside.indices(1)[2] = 3;
  write_hdf5(path("outside.h5"), outside);
  EXPECT_EQ(refusal([&] { read_hdf5_nonzeros(path("outside.h5"), "/tensor", 0, 3); }),
            "tempera: error: outside.h5:/tensor/indices: row 2: index 3 of mode 1 is outside 0 to 2\n"
            "hint: check the dataset shape and the attribute index_base");
}

}  // namespace
}  // namespace tempera
