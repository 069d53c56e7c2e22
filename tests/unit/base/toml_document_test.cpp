#include "core/base/toml_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tempera {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> keys(const TomlTable& table) {
  std::vector<std::string> names;
  for (const TomlEntry& entry : table.entries) names.push_back(entry.key + "@" + entry.where);
  return names;
}

TEST(TomlDocument, KeepsTheOrderOfTheFileAndTheLines) {
  const TomlTable root = parse_toml(
      "z = 1\na = 'x'\n\n[stage.b]\nkey = 2.5\n[stage.a]\n[[list]]\nk = 1\n[[list]]\nk = true\n"
      "[inline]\nt = {y = 1, b = 1979-05-27}\nmixed = [1, {k = 1}]\n",
      "f.toml", Category::usage);
  EXPECT_THAT(keys(root),
              testing::ElementsAre("z@f.toml:1", "a@f.toml:2", "stage@f.toml:4", "list@f.toml:7", "inline@f.toml:11"));
  const TomlTable& stages = root.find("stage")->tables.front();
  EXPECT_THAT(keys(stages), testing::ElementsAre("b@f.toml:4", "a@f.toml:6"));
  const TomlEntry& list = *root.find("list");
  ASSERT_TRUE(list.is_list_of_tables());
  ASSERT_EQ(list.tables.size(), 2u);
  EXPECT_EQ(list.tables[1].where, "f.toml:9");
  EXPECT_EQ(list.tables[1].find("k")->where, "f.toml:10");
  EXPECT_EQ(list.value, Json::parse("[{\"k\":1},{\"k\":true}]"));
  const TomlTable& inside = root.find("inline")->tables.front();
  EXPECT_THAT(keys(inside.find("t")->tables.front()), testing::ElementsAre("y@f.toml:12", "b@f.toml:12"));
  EXPECT_TRUE(inside.find("t")->tables.front().find("b")->value.is_null()) << "a date";
  EXPECT_FALSE(inside.find("mixed")->is_list_of_tables());
  EXPECT_EQ(root.find("absent"), nullptr);
}

TEST(TomlDocument, AMistakeHasItsLineAndTheCategoryAskedFor) {
  try {
    parse_toml("a = 1\nb =\n", "f.toml", Category::input);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), Category::input);
    EXPECT_EQ(error.where(), "f.toml:2");
  }
}

TEST(TomlDocument, ALineIsReadBackAsItWas) {
  for (const Json& value :
       {Json(0), Json(-9223372036854775807), Json(1e-7), Json(1e300), Json(0.1 + 0.2), Json(2.0), Json(true),
        Json("a \"b\" \\ \n\t é \x01"), Json({1, 2}), Json({"a", "b"}), Json::array()}) {
    const TomlTable table = parse_toml(toml_line("key", value), "f", Category::usage);
    EXPECT_EQ(table.find("key")->value, value);
    EXPECT_EQ(table.find("key")->value.is_number_float(), value.is_number_float());
  }
}

}  // namespace
}  // namespace tempera
