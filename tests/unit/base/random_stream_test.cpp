#include "core/base/random_stream.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <set>

namespace tempera {
namespace {

static_assert(std::uniform_random_bit_generator<RandomStream>);
static_assert(std::is_trivially_copyable_v<RandomStream>);

using Counter = r123::Philox4x64::ctr_type;
using Key = r123::Philox4x64::key_type;

Counter counter(std::array<std::uint64_t, 4> words) {
  Counter result{};
  for (std::size_t i = 0; i < 4; ++i) result.v[i] = words[i];
  return result;
}

std::array<std::uint64_t, 4> philox(std::array<std::uint64_t, 4> words, std::array<std::uint64_t, 2> key) {
  Key packed{};
  packed.v[0] = key[0];
  packed.v[1] = key[1];
  const Counter result = r123::Philox4x64()(counter(words), packed);
  return {result.v[0], result.v[1], result.v[2], result.v[3]};
}

std::array<std::uint64_t, 4> next_four(RandomStream& stream) {
  std::array<std::uint64_t, 4> words{};
  for (auto& word : words) word = stream.next_u64();
  return words;
}

TEST(RandomStream, PhiloxGivesThePublishedKnownAnswers) {
  using Words = std::array<std::uint64_t, 4>;
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (Words{0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b}));
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0}));
  EXPECT_EQ(philox({0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89},
                   {0x452821e638d01377, 0xbe5466cf34e90c6c}),
            (Words{0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6}));
}

TEST(RandomStream, BitsAreThoseOfTheDocumentedKeyAndCounter) {
  const std::uint64_t purpose = RandomPurpose("cp-init").value();
  constexpr std::uint64_t one = 1;
  RandomStream none(42, "cp-init");
  EXPECT_EQ(next_four(none), philox({0, 0, 0, 0}, {42, purpose}));
  EXPECT_EQ(next_four(none), philox({1, 0, 0, 0}, {42, purpose}));
  RandomStream two(42, "cp-init", {7, -3});
  EXPECT_EQ(next_four(two), philox({(one << 62), 7, ~std::uint64_t{2}, 0}, {42, purpose}));
  EXPECT_EQ(next_four(two), philox({(one << 62) + 1, 7, ~std::uint64_t{2}, 0}, {42, purpose}));
  RandomStream four(42, "cp-init", {1, 2, 3, 0xaaaabbbbcccc});
  EXPECT_EQ(next_four(four),
            philox({one << 63, 1 | 0xccccull << 48, 2 | 0xbbbbull << 48, 3 | 0xaaaaull << 48}, {42, purpose}));
}

TEST(RandomStream, PurposeIsTheFnv1aHashWhetherNamedInTheSourceOrAtRunTime) {
  EXPECT_EQ(RandomPurpose("").value(), 0xcbf29ce484222325u);
  EXPECT_EQ(RandomPurpose("foobar").value(), 0x85944171f73967e8u);
  EXPECT_EQ(RandomPurpose::named(std::string("foobar")).value(), RandomPurpose("foobar").value());
}

TEST(RandomStream, SameKeyGivesTheSameBitsAndAnyOtherKeyDoesNot) {
  RandomStream a(1, "x", {5});
  RandomStream b(1, "x", {5});
  for (int i = 0; i < 100; ++i) ASSERT_EQ(a(), b());
  std::set<std::uint64_t> first_words;
  const auto add = [&](RandomStream stream) { first_words.insert(stream.next_u64()); };
  add(RandomStream(1, "x"));
  add(RandomStream(2, "x"));
  add(RandomStream(1, "y"));
  add(RandomStream(1, "x", {0}));
  add(RandomStream(1, "x", {0, 0}));
  add(RandomStream(1, "x", {0, 0, 0}));
  add(RandomStream(1, "x", {0, 0, 0, 0}));
  add(RandomStream(1, "x", {1, 0}));
  add(RandomStream(1, "x", {0, 1}));
  add(RandomStream(1, "x", {-1}));
  EXPECT_EQ(first_words.size(), 10u);
}

TEST(RandomStream, IndicesThatDoNotFitAreRefused) {
  EXPECT_THROW(RandomStream(0, "x", {1, 2, 3, 4, 5}), ContractViolation);
  EXPECT_THROW(RandomStream(0, "x", {1, 2, 3, Index{1} << 48}), ContractViolation);
  EXPECT_THROW(RandomStream(0, "x", {1, 2, -3, 4}), ContractViolation);
}

TEST(RandomStream, OpenUniformsStayInsideTheInterval) {
  RandomStream stream(0, "open");
  for (int i = 0; i < 100000; ++i) {
    const double u = stream.uniform_open();
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    const double v = stream.uniform();
    ASSERT_GE(v, 0);
    ASSERT_LT(v, 1);
  }
}

TEST(RandomStream, UniformIndexCoversItsRangeAtTheEdges) {
  RandomStream stream(0, "edges");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(stream.uniform_index(1), 0);
  const Index largest = std::numeric_limits<Index>::max();
  for (int i = 0; i < 100; ++i) {
    const Index drawn = stream.uniform_index(largest);
    EXPECT_GE(drawn, 0);
    EXPECT_LT(drawn, largest);
  }
}

TEST(RandomStream, ShuffleKeepsTheElementsAndWorksOnSpans) {
  std::vector<int> values{1, 2, 3, 4, 5, 6, 7, 8};
  RandomStream stream(3, "shuffle");
  stream.shuffle(std::span<int>(values));
  EXPECT_NE(values, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
  std::sort(values.begin(), values.end());
  EXPECT_EQ(values, (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_TRUE(stream.permutation(0).empty());
}

TEST(RandomStream, DrawsArePinnedSoThatNoLibraryUpdateChangesResultsUnnoticed) {
  RandomStream stream(2024, "pinned", {1, 2, 3});
  EXPECT_EQ(stream.next_u64(), 13166016300859672942u);
  EXPECT_EQ(stream.uniform(), 0x1.a6800259523ap-1);
  EXPECT_EQ(stream.normal(), -0x1.e6fd7da79997p-1);
  EXPECT_EQ(stream.exponential(), 0x1.5de52a61cd8bcp-1);
  EXPECT_EQ(stream.uniform_index(1000000007), 349131736);
}

}  // namespace
}  // namespace tempera
