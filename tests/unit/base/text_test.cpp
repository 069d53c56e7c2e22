#include "core/base/text.hpp"

#include <gtest/gtest.h>

namespace tempera {
namespace {

TEST(Text, BytesHaveThreeDigitsAndNeverReachTheNextUnit) {
  EXPECT_EQ(human_bytes(0), "0 B");
  EXPECT_EQ(human_bytes(1023), "1023 B");
  EXPECT_EQ(human_bytes(1e30), "8.67e+11 EiB");
  EXPECT_EQ(human_bytes(1024), "1.00 KiB");
  EXPECT_EQ(human_bytes(1536), "1.50 KiB");
  EXPECT_EQ(human_bytes(10240), "10.0 KiB");
  EXPECT_EQ(human_bytes(1048575), "1.00 MiB");
  EXPECT_EQ(human_bytes(3.25 * (1 << 30)), "3.25 GiB");
}

TEST(Text, DurationsChooseTheirUnit) {
  EXPECT_EQ(human_duration(0), "0 us");
  EXPECT_EQ(human_duration(0.00085), "850 us");
  EXPECT_EQ(human_duration(0.0125), "12.5 ms");
  EXPECT_EQ(human_duration(3.214), "3.21 s");
  EXPECT_EQ(human_duration(59.97), "1 min 00 s");
  EXPECT_EQ(human_duration(125), "2 min 05 s");
  EXPECT_EQ(human_duration(11220), "3 h 07 min");
  EXPECT_EQ(human_duration(187200), "2 d 04 h");
}

TEST(Text, CountsAreGroupedByThousands) {
  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1000), "1 000");
  EXPECT_EQ(human_count(12345678), "12 345 678");
  EXPECT_EQ(human_count(-123456), "-123 456");
}

TEST(Text, TablesAlignWhatIsSeen) {
  const std::vector<std::vector<std::string>> rows{{"name", "x", "longest"}, {"ä", "-1.5", ""}, {"b", "", "2"}};
  EXPECT_EQ(text_table(rows, TableColumns::left), "  name  x     longest\n  ä     -1.5\n  b           2\n");
  EXPECT_EQ(text_table(rows, TableColumns::right), "  name     x  longest\n  ä     -1.5\n  b                 2\n");
  EXPECT_EQ(text_table({}, TableColumns::left), "");
}

TEST(Text, EditDistanceCountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("rnak", "rank"), 1);
  EXPECT_EQ(edit_distance("saturday", "sunday"), 3);
}

TEST(Text, NearestNameIsTheOneMeantOrNothing) {
  const std::vector<std::string> names{"decompose", "convert", "doctor"};
  EXPECT_EQ(nearest_name("decompse", names), "decompose");
  EXPECT_EQ(nearest_name("docter", names), "doctor");
  EXPECT_EQ(nearest_name("con", names), "convert");
  EXPECT_EQ(nearest_name("xyzzy", names), std::nullopt);
  EXPECT_EQ(nearest_name("", names), std::nullopt);
}

TEST(Text, WrappingKeepsWordsAndCountsLettersNotBytes) {
  EXPECT_EQ(wrap_words("", 10), (std::vector<std::string>{""}));
  EXPECT_EQ(wrap_words("aa bb cc", 5), (std::vector<std::string>{"aa bb", "cc"}));
  EXPECT_EQ(wrap_words("äö üß", 5), (std::vector<std::string>{"äö üß"}));
  EXPECT_EQ(wrap_words("toolongword a", 5), (std::vector<std::string>{"toolongword", "a"}));
}

}  // namespace
}  // namespace tempera
