#include "core/io/labels.hpp"

#include <map>

#include "core/io/ngrams.hpp"
#include "tests/unit/io/io_fixture.hpp"

namespace tempera {
namespace {

using testing::ElementsAre;

class Labels : public test::IoTest {
 protected:
  std::string refused(const std::string& text) const {
    return refusal([&] { read_labels(file("in.labels.json", text), std::vector<Index>{2, 3}); });
  }
};

TEST_F(Labels, ReadsNamesAndLabelsAndLetsAModeLackThem) {
  const auto labels =
      read_labels(file("a", R"({"modes": [{"labels": ["x", "y"]}, {"name": "hair"}]})"), std::vector<Index>{2, 3});
  EXPECT_EQ(labels[0].name, "");
  EXPECT_THAT(labels[0].labels, ElementsAre("x", "y"));
  EXPECT_EQ(labels[1].name, "hair");
  EXPECT_TRUE(labels[1].labels.empty());
}

TEST_F(Labels, RefusesWhatDoesNotFit) {
  const std::string hint =
      "\nhint: the form is {\"modes\":[{\"name\":\"letter\",\"labels\":[\"a\",\"b\"]}]}, with one entry a mode";
  const std::string start = "tempera: error: in.labels.json: ";
  EXPECT_EQ(refused("{\n\"modes\": [\n}"), "tempera: error: in.labels.json:3: is not valid JSON here" + hint);
  EXPECT_EQ(refused(R"({"modes": 1e999})"), start + "is not valid JSON (number overflow parsing '1e999')" + hint);
  EXPECT_EQ(refused("[]"), start + "the file is not an object" + hint);
  EXPECT_EQ(refused("{}"), start + "modes is not a list" + hint);
  EXPECT_EQ(refused(R"({"modes": [], "more": 1})"), start + "unknown key \"more\" in the file" + hint);
  EXPECT_EQ(refused(R"({"modes": [{}]})"), start + "labels of 1 modes for a tensor of order 2" + hint);
  EXPECT_EQ(refused(R"({"modes": [{}, {"label": []}]})"), start + "unknown key \"label\" in mode 1" + hint);
  EXPECT_EQ(refused(R"({"modes": [{"name": 1}, {}]})"), start + "the name of mode 0 is not a string" + hint);
  EXPECT_EQ(refused(R"({"modes": [{"labels": ["a", 2]}, {}]})"),
            start + "the labels of mode 0 are not a list of strings" + hint);
  EXPECT_EQ(refused(R"({"modes": [{}, {"labels": ["a", "b"]}]})"),
            start + "2 labels for mode 1, whose size is 3" + hint);
}

class Ngrams : public test::IoTest {};

/// The definition, by maps of strings.
std::map<std::string, double> count_by_strings(const std::vector<std::string>& texts, std::size_t n) {
  std::map<std::string, double> counts;
  for (const auto& text : texts) {
    std::string plain;
    for (const char c : text) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (letter)
        plain += static_cast<char>(c | 0x20);
      else if (plain.empty() || plain.back() != '_')
        plain += '_';
    }
    for (std::size_t i = 0; i + n <= plain.size(); ++i) ++counts[plain.substr(i, n)];
  }
  return counts;
}

TEST_F(Ngrams, EqualTheDefinitionForEveryLengthAndAcrossBlocks) {
  std::string longer;  // more than one block of the reader
  for (std::size_t k = 0; k < 60000; ++k)
    longer += "The Quick, brown-fox  jumps\n"[k * k % 28], longer += k % 97 == 0 ? "  \n" : "eE9x";
  const std::vector<std::string> texts{"Hello,  World!\n", "\xc3\xa4 no", longer};
  std::vector<std::filesystem::path> files;
  for (const auto& text : texts) files.emplace_back(file("text" + std::to_string(files.size()), text));
  for (int n = 2; n <= 8; ++n) {
    const auto tensor = count_ngrams(files, n);
    const auto labels = ngram_labels(n);
    std::map<std::string, double> counts;
    for (std::size_t k = 0; k < static_cast<std::size_t>(tensor.nonzeros()); ++k) {
      std::string word;
      for (int mode = 0; mode < n; ++mode)
        word += labels[static_cast<std::size_t>(mode)].labels[static_cast<std::size_t>(tensor.indices(mode)[k])];
      counts[word] = tensor.values()[k];
    }
    EXPECT_EQ(counts, count_by_strings(texts, static_cast<std::size_t>(n))) << "n = " << n;
  }
}

TEST_F(Ngrams, RefuseTextsWithoutAnyAndOtherLengths) {
  const std::vector<std::filesystem::path> text{file("short.txt", "ab")};
  EXPECT_EQ(
      refusal([&] { count_ngrams(text, 3); }),
      "tempera: error: short.txt: no text holds 3 letters in a row\nhint: use longer texts or a smaller --ngrams");
  EXPECT_EQ(refusal([&] { count_ngrams(text, 9); }, 2),
            "tempera: error: --ngrams: 9 letters make a tensor of order 9\nhint: from 2 to 8 are supported");
  EXPECT_EQ(refusal([&] { count_ngrams({}, 3); }, 2),
            "tempera: error: --ngrams: no text is given\nhint: name at least one text file before the output");
}

}  // namespace
}  // namespace tempera
