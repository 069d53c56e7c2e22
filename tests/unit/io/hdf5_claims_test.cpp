#include "core/io/detail/hdf5_handle.hpp"
#include "core/io/hdf5_file.hpp"
#include "tests/unit/io/io_fixture.hpp"

// Files of a few kilobytes that claim terabytes: extents cost nothing in HDF5 before something is written.

namespace tempera {
namespace {

using detail::Hdf5Handle;
using testing::MatchesRegex;

class Hdf5Claims : public test::IoTest {
 protected:
  void SetUp() override {
    file_ = Hdf5Handle(H5Fcreate(path("data.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  }

  /// Dataset of these extents; `written` fills the first cell, which allocates one chunk.
  void claim(const std::string& name, hid_t type, const std::vector<hsize_t>& extents, bool written,
             bool compressed = false) const {
    const Hdf5Handle space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
    const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE)), layout(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_create_intermediate_group(links, 1);
    const std::vector<hsize_t> start(extents.size(), 0), one(extents.size(), 1);
    std::vector<hsize_t> chunk;
    for (const hsize_t extent : extents) chunk.push_back(std::min<hsize_t>(extent, 16));
    H5Pset_chunk(layout, static_cast<int>(chunk.size()), chunk.data());
    if (compressed) H5Pset_deflate(layout, 1);
    const Hdf5Handle dataset(H5Dcreate2(file_, name.c_str(), type, space, links, layout, H5P_DEFAULT));
    ASSERT_TRUE(dataset) << name;
    if (!written) return;
    const double value = 1;
    const Hdf5Handle cell(H5Screate_simple(static_cast<int>(one.size()), one.data(), nullptr));
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, one.data(), nullptr);
    ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_DOUBLE, cell, space, H5P_DEFAULT, &value), 0) << name;
  }
  void write_shape(const std::string& name, const std::vector<Index>& sizes) const {
    const hsize_t length = sizes.size();
    const Hdf5Handle space(H5Screate_simple(1, &length, nullptr)), links(H5Pcreate(H5P_LINK_CREATE));
    H5Pset_create_intermediate_group(links, 1);
    const Hdf5Handle dataset(H5Dcreate2(file_, name.c_str(), H5T_STD_I64LE, space, links, H5P_DEFAULT, H5P_DEFAULT));
    ASSERT_GE(H5Dwrite(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, sizes.data()), 0);
  }
  std::string refused_info() {
    file_.close();
    return refusal([&] { read_hdf5_info(path("data.h5")); });
  }

  Hdf5Handle file_;
};

constexpr hsize_t kMillion = 1000000;
const std::string kUnwritten = "\nhint: the program that made the file did not finish; write it again";
const std::string kBeyondMemory = " of memory, .* are free\nhint: use more MPI ranks .*";

TEST_F(Hdf5Claims, ADenseDatasetThatWasNeverWrittenIsRefused) {
  claim("/tensor", H5T_IEEE_F64LE, {kMillion, kMillion, kMillion}, false);
  EXPECT_EQ(refused_info(),
            "tempera: error: data.h5:/tensor: nothing was ever written to this dataset (1000000 x 1000000 x 1000000)" +
                kUnwritten);
}

TEST_F(Hdf5Claims, ADenseBlockBeyondTheMemoryIsRefusedAndASmallOneOfTheSameFileIsRead) {
  claim("/tensor", H5T_IEEE_F64LE, {kMillion, kMillion, kMillion}, true);
  file_.close();
  const std::vector<Index> start(3, 0), small(3, 2), whole(3, 1000000);
  EXPECT_THAT(
      refusal([&] { read_hdf5_block(path("data.h5"), "/tensor", start, whole); }, 5),
      MatchesRegex("tempera: error: data.h5:/tensor: the part that one process reads takes 6.94 EiB" + kBeyondMemory));
  EXPECT_THAT(read_hdf5_block(path("data.h5"), "/tensor", start, small).values(),
              testing::ElementsAre(1, 0, 0, 0, 0, 0, 0, 0));
}

TEST_F(Hdf5Claims, AShapeListOfTerabytesIsRefused) {
  claim("/tensor/indices", H5T_STD_I64LE, {5, 3}, true);
  claim("/tensor/values", H5T_IEEE_F64LE, {5}, true);
  claim("/tensor/shape", H5T_STD_I64LE, {kMillion * kMillion}, true);
  EXPECT_EQ(refused_info(),
            "tempera: error: data.h5:/tensor/shape: is a list of 1000000000000 integers, at most 8 are expected\n"
            "hint: it holds one size a mode");
}

TEST_F(Hdf5Claims, NonzerosThatWereNeverWrittenAreRefused) {
  for (const bool indices_written : {false, true}) {
    file_.close();
    SetUp();
    write_shape("/tensor/shape", {10, 10, 10});
    claim("/tensor/indices", H5T_STD_I64LE, {kMillion * kMillion, 3}, indices_written, true);
    claim("/tensor/values", H5T_IEEE_F64LE, {kMillion * kMillion}, false);
    EXPECT_EQ(refused_info(), std::string("tempera: error: data.h5:/tensor/") +
                                  (indices_written ? "values: nothing was ever written to this dataset (1000000000000)"
                                                   : "indices: nothing was ever written to this dataset "
                                                     "(1000000000000 x 3)") +
                                  kUnwritten);
  }
}

TEST_F(Hdf5Claims, AListOfNonzerosOfWhichOnlyAPartWasWrittenIsRefused) {
  write_shape("/tensor/shape", {10, 10, 10});
  claim("/tensor/indices", H5T_STD_I64LE, {kMillion * kMillion, 3}, true);
  claim("/tensor/values", H5T_IEEE_F64LE, {kMillion * kMillion}, true);
  EXPECT_EQ(refused_info(),
            "tempera: error: data.h5:/tensor/indices: only 384 B of 21.8 TiB were ever written to this "
            "dataset (1000000000000 x 3)" +
                kUnwritten);
}

TEST_F(Hdf5Claims, AListWhoseSizeWrapsRoundIn64BitsIsRefused) {
  write_shape("/tensor/shape", {10, 10, 10, 10});
  claim("/tensor/indices", H5T_STD_I64LE, {hsize_t{1} << 62, 4}, false);
  claim("/tensor/values", H5T_IEEE_F64LE, {hsize_t{1} << 62}, false);
  EXPECT_THAT(refused_info(),
              testing::StartsWith("tempera: error: data.h5:/tensor/indices: nothing was ever written to this dataset"));
}

TEST_F(Hdf5Claims, NonzerosBeyondTheMemoryAreRefusedAndAPartOfThemIsRead) {
  write_shape("/tensor/shape", {10, 10, 10});
  claim("/tensor/indices", H5T_STD_I64LE, {kMillion * kMillion, 3}, true, true);
  claim("/tensor/values", H5T_IEEE_F64LE, {kMillion * kMillion}, true, true);
  file_.close();
  EXPECT_THAT(
      refusal([&] { read_hdf5_nonzeros(path("data.h5"), "/tensor", 0, 1000000000000); }, 5),
      MatchesRegex("tempera: error: data.h5:/tensor: the part that one process reads takes 29.1 TiB" + kBeyondMemory));
  EXPECT_EQ(read_hdf5_nonzeros(path("data.h5"), "/tensor", 0, 2).nonzeros(), 2);
}

TEST_F(Hdf5Claims, AModelOfClaimedWeightsIsRefused) {
  claim("/lambda", H5T_IEEE_F64LE, {kMillion * kMillion}, true, true);
  file_.close();
  EXPECT_THAT(
      refusal([&] { read_hdf5_kruskal(path("data.h5")); }, 5),
      MatchesRegex("tempera: error: data.h5:/lambda: the part that one process reads takes 7.28 TiB" + kBeyondMemory));
}

}  // namespace
}  // namespace tempera
