#include "core/linalg/khatri_rao.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

TEST(KhatriRao, AnyRunOfRowsIsThatOfTheDefinition) {
  const FactorMatrix a = test::random_matrix(3, 5, 1), b = test::random_matrix(4, 5, 2),
                     c = test::random_matrix(1, 5, 3), d = test::random_matrix(2, 5, 4);
  std::vector<RowView> views;
  for (const FactorMatrix* m : {&a, &b, &c, &d}) views.push_back({m->data(), m->rows(), m->columns(), m->stride()});
  for (Index first : {0, 1, 7, 23})
    for (Index count : {0, 1, 5}) {
      if (first + count > 24) continue;
      std::vector<double> rows(static_cast<std::size_t>(6 * count));
      khatri_rao_rows(views, first, count, rows.data(), 6);
      for (Index k = 0; k < count; ++k)
        for (Index r = 0; r < 5; ++r) {
          const Index i = first + k;  // matrix 0 runs fastest
          const double expected = a(i % 3, r) * b(i / 3 % 4, r) * c(0, r) * d(i / 12, r);
          EXPECT_NEAR(rows[static_cast<std::size_t>(6 * k + r)], expected, 1e-15);
        }
    }
}

}  // namespace
}  // namespace tempera
