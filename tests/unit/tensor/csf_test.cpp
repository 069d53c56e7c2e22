#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/tensor/csf_set.hpp"
#include "core/tensor/nonzero_list.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

using test::random_sparse;

std::map<std::vector<Index>, double> cells(const SparseTensor& tensor) {
  std::map<std::vector<Index>, double> result;
  for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
    std::vector<Index> cell;
    for (int mode = 0; mode < tensor.order(); ++mode) cell.push_back(tensor.indices(mode)[k]);
    result[cell] += tensor.values()[k];
  }
  return result;
}

constexpr double kLongFibres[] = {1, 4, 1e9};  // all levels merged, some, the root alone

std::map<std::vector<Index>, double> cells(const CsfTensor& tree) {
  std::map<std::vector<Index>, double> result;
  std::vector<Index> cell(static_cast<std::size_t>(tree.order()));
  const auto walk = [&](auto&& self, int level, std::size_t begin, std::size_t end) -> void {
    for (std::size_t c = begin; c < end; ++c) {
      cell[static_cast<std::size_t>(tree.mode_order()[static_cast<std::size_t>(level)])] = tree.ids(level)[c];
      if (c > begin && level < tree.merged_levels()) {
        EXPECT_LT(tree.ids(level)[c - 1], tree.ids(level)[c]) << "children must increase";
      }
      if (level + 1 == tree.order()) {
        EXPECT_TRUE(result.emplace(cell, tree.values()[c]).second) << "no coordinates twice";
      } else {
        self(self, level + 1, tree.first_child(level, c), tree.first_child(level, c + 1));
      }
    }
  };
  walk(walk, 0, 0, static_cast<std::size_t>(tree.nodes(0)));
  return result;
}

TEST(Csf, HoldsExactlyTheCellsOfTheCoordinatesInEveryModeOrder) {
  for (const std::vector<Index>& shape :
       {std::vector<Index>{3, 4}, {1, 5, 9}, {4, 1, 3, 6}, {2, 3, 2, 3, 2}, {2, 2, 2, 2, 2, 2, 2, 2}}) {
    const SparseTensor tensor = random_sparse(shape, 25, 4);
    std::vector<int> order(shape.size());
    for (std::size_t k = 0; k < order.size(); ++k) order[k] = static_cast<int>((k + 1) % order.size());
    for (const double long_fibre : kLongFibres)
      EXPECT_EQ(cells(NonzeroList(tensor).build(order, long_fibre)), cells(tensor));
  }
}

TEST(Csf, LevelsAreMergedAsLongAsANodeHasEnoughNonzeros) {
  SparseTensor tensor({2, 3, 100, 5});
  for (Index k = 0; k < 120; ++k)  // 2, 6 and 60 nodes hold 120 nonzeros
    tensor.append(std::vector<Index>{k % 2, (k / 2) % 3, k / 12, (k / 6) % 2}, 1.0);
  const auto merged = [&](double long_fibre) {
    return NonzeroList(tensor).build({0, 1, 2, 3}, long_fibre).merged_levels();
  };
  EXPECT_EQ(merged(1), 3);
  EXPECT_EQ(merged(2), 3);
  EXPECT_EQ(merged(2.1), 2);
  EXPECT_EQ(merged(20), 2);
  EXPECT_EQ(merged(21), 1);
  EXPECT_EQ(merged(1e9), 1) << "the root is always merged";
}

// Eight modes of 2^20 local indices need 160 bits at full size; 5 modes need 100 and take the wide key.
TEST(Csf, WideKeysHoldLongModes) {
  const std::vector<Index> shape(5, Index{1} << 20);
  const SparseTensor tensor = random_sparse(shape, 300, 9);
  for (int root = 0; root < 5; ++root) {
    std::vector<int> order{0, 1, 2, 3, 4};
    std::rotate(order.begin(), order.begin() + root, order.end());
    EXPECT_EQ(cells(NonzeroList(tensor).build(order)), cells(tensor));
  }
}

// A mode of size 1 has no bits; in front of exactly 64 (or 128) bits its field would begin one past the key.
TEST(Csf, ModesOfSizeOneNextToAFullKey) {
  for (const std::vector<Index>& shape : {std::vector<Index>{1, 512, 512, 512, 512, 512, 512, 1024},
                                          {1, 1 << 21, 1 << 21, 1 << 21, 1 << 21, 1 << 22, 1 << 22},
                                          {1, 65536, 65536, 65536, 65536}}) {
    const SparseTensor tensor = random_sparse(shape, 200, 6);
    std::vector<int> order(shape.size());
    for (std::size_t k = 0; k < order.size(); ++k) order[k] = static_cast<int>(k);
    const CsfTensor tree = NonzeroList(tensor).build(order);
    EXPECT_EQ(tree.nodes(0), 1);
    EXPECT_EQ(cells(tree), cells(tensor));
  }
}

TEST(Csf, DuplicatesAreSummedWhateverTheirOrder) {
  SparseTensor forward({2, 2}), backward({2, 2});
  const std::vector<double> values{1e16, 1.0, -1e16, 3.0, 0.25};
  for (std::size_t k = 0; k < values.size(); ++k) {
    forward.append(std::vector<Index>{1, 0}, values[k]);
    backward.append(std::vector<Index>{1, 0}, values[values.size() - 1 - k]);
  }
  NonzeroList a(forward.shape(), 5), b(backward.shape(), 5);
  for (auto [list, tensor] : {std::pair{&a, &forward}, std::pair{&b, &backward}}) {
    for (int mode = 0; mode < 2; ++mode)
      list->set_mode(mode, 0, std::vector<std::uint32_t>(tensor->indices(mode).begin(), tensor->indices(mode).end()));
    list->set_values(0, tensor->values());
    EXPECT_EQ(list->sum_duplicates(), 4);
  }
  EXPECT_EQ(cells(a.build({0, 1})), cells(b.build({0, 1})));
  EXPECT_EQ(forward.sum_duplicates(), 4);
  EXPECT_EQ(cells(a.build({0, 1})), cells(forward));
}

TEST(Csf, EmptyTensorGivesAnEmptyTree) {
  const CsfTensor tree = NonzeroList(SparseTensor({3, 4, 5})).build({2, 0, 1});
  EXPECT_EQ(tree.nonzeros(), 0);
  EXPECT_EQ(tree.nodes(0), 0);
}

TEST(CsfSet, PolicyFollowsTheByteBudget) {
  const SparseTensor tensor = random_sparse({20, 30, 40}, 2000, 1);
  const std::size_t one = CsfSet(NonzeroList(tensor), CsfPolicy::one).bytes();
  EXPECT_EQ(CsfSet(NonzeroList(tensor), std::size_t{1}).policy(), CsfPolicy::one);
  EXPECT_EQ(CsfSet(NonzeroList(tensor), 2 * one).policy(), CsfPolicy::two);
  const CsfSet all(NonzeroList(tensor), 3 * one);
  EXPECT_EQ(all.policy(), CsfPolicy::all);
  for (int mode = 0; mode < 3; ++mode) EXPECT_EQ(all.tree_for(mode).mode_order().front(), mode);
}

}  // namespace
}  // namespace tempera
