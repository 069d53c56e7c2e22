#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/tensor/dense_tensor.hpp"
#include "core/tensor/sparse_tensor.hpp"
#include "tests/support/data.hpp"

namespace tempera::test {

/// A folder of its own for every test, and the messages of refused files with that folder taken out.
class IoTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string file(const std::string& name, const std::string& text) const {
    return write_text(folder_ / name, text).string();
  }

  template <class Action>
  std::string refusal(Action&& action, int status = 3) const {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_EQ(exit_status(error.category()), status) << error.message();
      std::string message = error.message();
      const std::string prefix = folder_.path().string() + "/";
      for (std::size_t at; (at = message.find(prefix)) != std::string::npos;) message.erase(at, prefix.size());
      return message;
    }
    return "accepted";
  }

  TemporaryFolder folder_;
};

inline std::vector<Index> column(const SparseTensor& tensor, int mode) {
  return {tensor.indices(mode).begin(), tensor.indices(mode).end()};
}

inline bool same_bits(std::span<const double> a, std::span<const double> b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) {
           return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
         });
}

/// Same shape, and the same entries in the same order, values equal to the last bit.
inline void expect_identical(const SparseTensor& a, const SparseTensor& b) {
  ASSERT_EQ(a.shape(), b.shape());
  ASSERT_EQ(a.nonzeros(), b.nonzeros());
  for (int mode = 0; mode < a.order(); ++mode) EXPECT_EQ(column(a, mode), column(b, mode)) << "mode " << mode;
  EXPECT_TRUE(same_bits(a.values(), b.values()));
}

}  // namespace tempera::test
