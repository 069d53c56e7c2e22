#pragma once

#include <gtest/gtest.h>

#include "tests/support/data.hpp"

namespace tempera::test {

/// A test (Base: testing::Test, or one with parameters) that reads the shared posteriors.
template <class Base>
class WithPosteriordb : public Base {
 protected:
  void SetUp() override {
    TEMPERA_REQUIRE_DATA(folder, "posteriordb");
    folder_ = folder;
  }
  std::filesystem::path folder_;
};

}  // namespace tempera::test
