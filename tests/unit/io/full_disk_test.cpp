#include "tests/support/full_disk.hpp"

#include <functional>

#include "core/io/hdf5_file.hpp"
#include "core/io/inference_data.hpp"
#include "core/io/npy.hpp"
#include "core/io/tns.hpp"
#include "tests/unit/io/io_fixture.hpp"

namespace tempera {
namespace {

/// Every writer on a disk too small for its file. HDF5 must stay usable afterwards and at the end of the process.
class FullDisk : public test::IoTest {
 protected:
  void SetUp() override {
    TEMPERA_REQUIRE_MOUNTED(disk_);
  }
  std::string refused(const std::function<void()>& write) const {
    std::string message = refusal(write, 5);
    const std::string prefix = disk_.path().string() + "/";
    if (const auto at = message.find(prefix); at != std::string::npos) message.erase(at, prefix.size());
    for (const auto& entry : std::filesystem::directory_iterator(disk_.path()))
      EXPECT_EQ(entry.path().filename(), "filler") << "left behind";
    return message;
  }
  static std::string no_space(const std::string& name) {
    return "tempera: error: " + name +
           ": cannot be written: No space left on device\n"
           "hint: free some space, or write to another disk";
  }
  test::SmallDisk disk_{"512k"};
};

TEST_F(FullDisk, WritersSayThatTheDiskIsFullAndLeaveNothing) {
  SparseTensor sparse({1000, 1000});
  for (Index k = 0; k < 100000; ++k)
    sparse.append(std::vector<Index>{k % 1000, k * 7919 % 1000}, 1.0 / static_cast<double>(k + 1));
  DenseTensor dense({300, 300});
  for (std::size_t i = 0; i < dense.values().size(); ++i) dense.values()[i] = 1.0 / static_cast<double>(i + 1);
  EXPECT_EQ(refused([&] { write_tns(disk_ / "a.tns", sparse); }), no_space("a.tns"));
  EXPECT_EQ(refused([&] { write_tns(disk_ / "a.tns.gz", sparse); }), no_space("a.tns.gz"));
  EXPECT_EQ(refused([&] { write_npy(disk_ / "a.npy", dense); }), no_space("a.npy"));
  EXPECT_EQ(refused([&] { write_hdf5(disk_ / "a.h5", dense); }),
            "tempera: error: a.h5: cannot be written: about 767 KiB are needed, 512 KiB are free\n"
            "hint: free some space, or write to another disk");
}

TEST_F(FullDisk, ADiskThatFillsUpWhileHdf5IsWrittenIsAnErrorAndNothingWorse) {
  const std::vector<Index> shape{4000, 10};
  const std::vector<double> weights(8, 1.0), rows(4000 * 8, 0.5);
  EXPECT_EQ(refused([&] {
              KruskalWriter writer(disk_ / "factors.h5", shape, 1, weights);
              disk_.fill();
              writer.append_rows(0, 0, rows);
              writer.append_rows(1, 0, std::span(rows).first(80));
              writer.commit();
            }),
            no_space("factors.h5"));
  disk_.clear();
  {
    KruskalWriter writer(disk_ / "abandoned.h5", shape, 1, weights);
    writer.append_rows(1, 0, std::span(rows).first(80));
    disk_.fill();
  }
  disk_.clear();
  EXPECT_TRUE(std::filesystem::is_empty(disk_.path()));
  KruskalWriter writer(disk_ / "factors.h5", shape, 1, weights);
  writer.append_rows(0, 0, rows);
  writer.append_rows(1, 0, std::span(rows).first(80));
  writer.commit();
  EXPECT_EQ(read_hdf5_kruskal(disk_ / "factors.h5").shape(), shape);
}

TEST_F(FullDisk, ADiskThatFillsUpWhileDrawsAreWrittenIsAnErrorAndNothingWorse) {
  const auto layout = [](Index draws) {
    return InferenceLayout{{{"posterior", 2, draws, {{"a", {8}, InferenceVariable::Type::float64, {}}}, {}}}, {}};
  };
  const std::vector<double> values(2 * 2000 * 8, 0.5);
  EXPECT_EQ(refused([&] { InferenceDataWriter(disk_ / "draws.nc", layout(4000)); }),
            "tempera: error: draws.nc: cannot be written: about 627 KiB are needed, 512 KiB are free\n"
            "hint: free some space, or write to another disk");
  EXPECT_EQ(refused([&] {
              InferenceDataWriter writer(disk_ / "draws.nc", layout(2000));
              disk_.fill();
              writer.write("posterior", "a", values);
            }),
            no_space("draws.nc"));
  disk_.clear();
  EXPECT_EQ(refused([&] {
              InferenceDataWriter writer(disk_ / "draws.nc", layout(2000));
              disk_.fill();
              writer.commit();
            }),
            no_space("draws.nc"));
  disk_.clear();
  EXPECT_TRUE(std::filesystem::is_empty(disk_.path()));
  InferenceDataWriter writer(disk_ / "draws.nc", layout(2000));
  writer.write("posterior", "a", values);
  writer.commit();
  EXPECT_GT(std::filesystem::file_size(disk_ / "draws.nc"), values.size() * sizeof(double));
}

}  // namespace
}  // namespace tempera
