#include "distributed/tensor/load.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "core/base/error.hpp"
#include "core/base/sha256.hpp"
#include "core/io/hdf5_file.hpp"
#include "core/io/npy.hpp"
#include "core/io/tns.hpp"
#include "distributed/communicator/objects.hpp"
#include "tests/support/data.hpp"
#include "tests/support/distributed.hpp"
#include "tests/support/mpi.hpp"

namespace tempera {
namespace {

/// A folder that rank 0 makes and all ranks know.
class SharedFolder {
 public:
  explicit SharedFolder(const Communicator& world) : world_(world) {
    if (world.is_root()) folder_.emplace();
    path_ = folder_ ? folder_->path().string() : "";
    world.broadcast_object(path_, 0);
  }
  ~SharedFolder() { world_.barrier(); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  Communicator world_;
  std::optional<test::TemporaryFolder> folder_;
  std::string path_;
};

/// MTTKRP of every mode, complete on the owners, against an oracle that every rank holds.
void expect_same_tensor(const DistributedTensor& tensor, const SparseTensor& expected) {
  EXPECT_EQ(tensor.shape(), expected.shape());
  const auto factors = test::random_factors(expected.shape(), 3, 5);
  for (int mode = 0; mode < expected.order() && tensor.active(); ++mode) {
    FactorMatrix oracle(expected.shape()[static_cast<std::size_t>(mode)], 3);
    mttkrp(expected, factors, mode, oracle);
    std::vector<FactorMatrix> local;
    for (int m = 0; m < expected.order(); ++m)
      local.push_back(test::local_rows(factors[static_cast<std::size_t>(m)], tensor.rows(m)));
    FactorMatrix result(tensor.rows(mode).rows(), 3);
    tensor.mttkrp(local, mode, result);
    tensor.exchange(mode).reduce_to_owners(result);
    tensor.exchange(mode).share_with_ghosts(result);
    EXPECT_LE(test::relative_difference(test::local_rows(oracle, tensor.rows(mode)), result), 1e-12);
  }
}

TEST(Load, EveryFormatGivesTheSameTensorOnAnyNumberOfRanks) {
  test::on_all_ranks([](const Communicator& world) {
    const SharedFolder folder(world);
    const SparseTensor sparse = test::random_sparse({20, 15, 12}, 700, 3);
    const DenseTensor dense = test::random_dense({9, 8, 7}, 4);
    if (world.is_root()) {
      write_tns(folder / "x.tns", sparse);
      write_tns(folder / "x.tns.gz", sparse);
      write_hdf5(folder / "x.h5", sparse);
      write_npy(folder / "d.npy", dense);
      write_hdf5(folder / "d.h5", dense);
      write_tns(folder / "d.tns", dense, false);
    }
    world.barrier();
    LoadOptions options;
    options.dims = {20, 15, 12};
    for (const char* name : {"x.tns", "x.tns.gz", "x.h5"})
      expect_same_tensor(*load_tensor(world, folder / name, options), sparse);
    for (const char* name : {"d.npy", "d.h5", "d.tns"})
      expect_same_tensor(*load_tensor(world, folder / name), test::every_cell(dense));
  });
}

TEST(Load, DeclaredSizesEnlarge) {
  test::on_all_ranks([](const Communicator& world) {
    const SharedFolder folder(world);
    if (world.is_root()) test::write_text(folder / "x.tns", "1 2 3\n");
    world.barrier();
    LoadOptions options;
    options.dims = {4, 5};
    EXPECT_EQ(load_tensor(world, folder / "x.tns", options)->shape(), (std::vector<Index>{4, 5}));
  });
}

TEST(Load, TheFirstBadLineOfTheFileIsReportedWhicheverRankReadsIt) {
  const Communicator world(MPI_COMM_WORLD);
  const SharedFolder folder(world);
  for (int bad : {1, 2, 150, 299, 300}) {
    if (world.is_root()) {
      std::string text;
      for (int line = 1; line <= 300; ++line)
        text += line == bad || line == 300 ? "1 1 oops\n" : "# comment or data\n1 1 2.5\n";
      test::write_text(folder / "x.tns", text);
    }
    world.barrier();
    const int line = 2 * (bad - 1) + 1;
    try {
      collectively(world, [&] { load_tensor(world, folder / "x.tns"); });
      ADD_FAILURE() << "line " << line << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.where(), folder / "x.tns" + ":" + std::to_string(line));
    }
  }
}

TEST(Load, DigestOfAFileIsTheSerialOne) {
  test::on_all_ranks([](const Communicator& world) {
    const SharedFolder folder(world);
    for (std::size_t size : {1, 2, 63, 64, 1000, 3000001}) {
      if (world.is_root()) test::write_text(folder / "bytes", std::string(size, 'x') + "end");
      world.barrier();
      EXPECT_EQ(sha256_of_file(world, folder / "bytes"), sha256_of_file(folder / "bytes"));
      world.barrier();
    }
  });
}

// Checksums from the data's own page: U_m[i, r] = sin(0.37 (i + 1)(r + 1)).
TEST(Load, RealRatingsTensorHasTheDocumentedChecksums) {
  TEMPERA_REQUIRE_DATA(path, "splatt-test-tensors/med.tns.gz");
  test::on_all_ranks([&](const Communicator& world) {
    const auto tensor = load_tensor(world, path.string());
    EXPECT_EQ(tensor->shape(), (std::vector<Index>{2425, 10816, 29567}));
    EXPECT_EQ(tensor->stored_cells(), 100000);
    EXPECT_DOUBLE_EQ(tensor->norm_squared(), 1568422);
    EXPECT_LE(tensor->balance(), 1.05);
    const std::array<double, 3> norms{1240.853267173513, 1271.002945083709, 1244.6401603796398};
    const std::array<double, 3> sums{532.2726172354835, -74.119021144513, 2269.736459916049};
    std::vector<FactorMatrix> factors;
    for (int mode = 0; mode < 3 && tensor->active(); ++mode) {
      const auto& rows = tensor->rows(mode).global_rows;
      factors.emplace_back(static_cast<Index>(rows.size()), 4);
      for (std::size_t k = 0; k < rows.size(); ++k)
        for (Index r = 0; r < 4; ++r)
          factors.back()(static_cast<Index>(k), r) =
              std::sin(0.37 * static_cast<double>(rows[k] + 1) * static_cast<double>(r + 1));
    }
    for (int mode = 0; mode < 3; ++mode) {
      double found[2] = {0, 0};
      if (tensor->active()) {
        const RowLayout& layout = tensor->rows(mode);
        FactorMatrix result(layout.rows(), 4);
        tensor->mttkrp(factors, mode, result);
        tensor->exchange(mode).reduce_to_owners(result);
        for (Index i = layout.owned_begin; i < layout.owned_begin + layout.owned_count; ++i)
          for (Index r = 0; r < 4; ++r) {
            found[0] += result(i, r) * result(i, r);
            found[1] += result(i, r);
          }
      }
      world.all_reduce(std::span<double>(found), Reduction::sum);
      EXPECT_NEAR(std::sqrt(found[0]), norms[static_cast<std::size_t>(mode)],
                  1e-9 * norms[static_cast<std::size_t>(mode)]);
      EXPECT_NEAR(found[1], sums[static_cast<std::size_t>(mode)], 1e-8 * 3000);
    }
  });
}

}  // namespace
}  // namespace tempera
