#include "core/io/tns.hpp"

#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <sstream>

#include "tests/unit/io/io_fixture.hpp"

namespace tempera {
namespace {

using test::column;
using testing::ElementsAre;

class Tns : public test::IoTest {
 protected:
  SparseTensor read(const std::string& text, const TnsOptions& options = {}) const {
    return read_tns(file("data.tns", text), options);
  }
  std::string refused(const std::string& text, const TnsOptions& options = {}) const {
    return refusal([&] { read(text, options); });
  }
};

TEST_F(Tns, ReadsCommentsBlanksTabsWindowsLineEndsAndAMissingLastNewline) {
  const auto tensor = read("# header\n\n1 2\t3  4.5\r\n  2 1 1 -1e-3 \n \t\n\r\n # middle\n2 2 2 +.5");
  EXPECT_THAT(tensor.shape(), ElementsAre(2, 2, 3));
  EXPECT_THAT(column(tensor, 0), ElementsAre(0, 1, 1));
  EXPECT_THAT(column(tensor, 1), ElementsAre(1, 0, 1));
  EXPECT_THAT(column(tensor, 2), ElementsAre(2, 0, 1));
  EXPECT_THAT(tensor.values(), ElementsAre(4.5, -1e-3, 0.5));
}

TEST_F(Tns, TakesTheIndexBaseAndTheSizesFromTheOptions) {
  const auto tensor = read("0 4 1\n1 0 2\n", {.index_base = 0, .dims = {7, 5}});
  EXPECT_THAT(tensor.shape(), ElementsAre(7, 5));
  EXPECT_THAT(column(tensor, 0), ElementsAre(0, 1));
  EXPECT_THAT(column(tensor, 1), ElementsAre(4, 0));
  EXPECT_THAT(read("007 00000000000000000000002 1\n").shape(), ElementsAre(7, 2));
}

TEST_F(Tns, ReadsAllOrdersFromTwoToEight) {
  for (int order = kMinimumOrder; order <= kMaximumOrder; ++order) {
    std::string line;
    for (int mode = 0; mode < order; ++mode) line += std::to_string(mode + 1) + " ";
    const auto tensor = read(line + "0.5\n" + line + "2\n");
    ASSERT_EQ(tensor.order(), order);
    for (int mode = 0; mode < order; ++mode) EXPECT_THAT(column(tensor, mode), ElementsAre(mode, mode));
    EXPECT_THAT(tensor.values(), ElementsAre(0.5, 2));
  }
}

TEST_F(Tns, ReadsEveryDoubleExactly) {
  const auto tensor = read(
      "1 1 5e-324\n1 1 2.2250738585072014e-308\n1 1 1.7976931348623157e308\n1 1 -0.0\n1 1 123456789012345678\n"
      "1 1 999999999999999\n1 1 0.1\n1 1 9007199254740993\n1 1 -0\n1 1 1.\n");
  const std::vector<double> expected{5e-324, 2.2250738585072014e-308, 1.7976931348623157e308,
                                     -0.0,   123456789012345678.0,    999999999999999.0,
                                     0.1,    9007199254740992.0,      -0.0,
                                     1.0};
  EXPECT_TRUE(test::same_bits(tensor.values(), expected));
}

TEST_F(Tns, RefusesEveryBadLineByItsNumberAndColumn) {
  EXPECT_EQ(refused("# c\n1 1 1 1\n1 1 1\n"),
            "tempera: error: data.tns:3: 3 columns, but the first data line has 4\n"
            "hint: every data line of a tensor of order 3 has 3 indices and a value");
  EXPECT_EQ(refused("1 1 1 1\n1 1 1 1 1\n"),
            "tempera: error: data.tns:2: 5 columns, but the first data line has 4\n"
            "hint: every data line of a tensor of order 3 has 3 indices and a value");
  EXPECT_EQ(refused("1 1 1\n\n1 0 1\n"),
            "tempera: error: data.tns:3: column 2: index 0 in a file whose indices begin at 1\n"
            "hint: pass --index-base 0 if the first index of each mode is 0 in this file");
  EXPECT_EQ(refused("1 -3 1\n"),
            "tempera: error: data.tns:1: column 2: negative index -3\nhint: indices are whole numbers; comments begin "
            "with #");
  EXPECT_EQ(refused("1 1.5 1\n"),
            "tempera: error: data.tns:1: column 2: index 1.5 is not written as a whole number\n"
            "hint: indices are whole numbers; comments begin with #");
  EXPECT_EQ(refused("1 1 1\n1 b 1\n"),
            "tempera: error: data.tns:2: column 2: \"b\" is not an index\nhint: indices are whole numbers; comments "
            "begin with #");
  EXPECT_EQ(refused("1 1 1\n1 1 x7\n"),
            "tempera: error: data.tns:2: column 3: \"x7\" is not a number\nhint: comments begin with #");
  EXPECT_EQ(refused("1 1 1\n1 1 1.5e\n"),
            "tempera: error: data.tns:2: column 3: \"1.5e\" is not a number\nhint: comments begin with #");
  EXPECT_EQ(
      refused("1 1 nan\n"),
      "tempera: error: data.tns:1: column 3: the value is nan\n"
      "hint: leave the line out: absent entries count as zeros, with decompose --missing unobserved as missing cells");
  EXPECT_EQ(
      refused("1 1 2\n1 1 -inf\n"),
      "tempera: error: data.tns:2: column 3: the value is -inf\n"
      "hint: leave the line out: absent entries count as zeros, with decompose --missing unobserved as missing cells");
  EXPECT_EQ(refused("1 1 1e999\n"),
            "tempera: error: data.tns:1: column 3: the value \"1e999\" is outside the range of a double\nhint: rescale "
            "the data");
  EXPECT_EQ(refused("1 99999999999999999999 1\n"),
            "tempera: error: data.tns:1: column 2: index \"99999999999999999999\" does not fit 63 bits\n"
            "hint: indices are whole numbers; comments begin with #");
  EXPECT_EQ(refused("1 2 1\n1 3 1\n", {.dims = {1, 2}}),
            "tempera: error: data.tns:2: column 2: index 3 is beyond the declared size 2\n"
            "hint: enlarge --dims, or leave it out to take the sizes from the file");
  EXPECT_EQ(refused("1 1 1\n1 1 \x01\xff\n"),
            "tempera: error: data.tns:2: column 3: \"\\x01\\xff\" is not a number\nhint: comments begin with #");
}

TEST_F(Tns, RefusesOrdersOutsideTwoToEightHeadersAndSizesOfAnotherOrder) {
  const std::string rule = "\nhint: a data line is one index a mode, then the value; there is no header with sizes";
  EXPECT_EQ(refused("1 5\n"),
            "tempera: error: data.tns:1: 2 columns would be a tensor of order 1; orders 2 to 8 are supported" + rule);
  EXPECT_EQ(refused("#\n3\n4 4 4\n1 1 1 1\n"),
            "tempera: error: data.tns:2: 1 column would be a tensor of order 0; orders 2 to 8 are supported" + rule);
  EXPECT_EQ(refused("1 1 1 1 1 1 1 1 1 5\n"),
            "tempera: error: data.tns:1: 10 columns would be a tensor of order 9; orders 2 to 8 are supported" + rule);
  EXPECT_EQ(refused("i j value\n1 1 1\n"),
            "tempera: error: data.tns:1: column 1: \"i\" is not an index\nhint: indices are whole numbers; comments "
            "begin with #");
  EXPECT_EQ(refused("1 1 1 1\n", {.dims = {4, 4}}),
            "tempera: error: data.tns:1: 4 columns would be a tensor of order 3, but 2 sizes were declared\n"
            "hint: give --dims one size a mode");
}

TEST_F(Tns, RefusesFilesThatCannotHoldATensor) {
  EXPECT_EQ(refused(""), "tempera: error: data.tns: the file is empty\nhint: check that it was written completely");
  EXPECT_EQ(refused("# only\n\n# comments\n"),
            "tempera: error: data.tns: no data: 3 lines of comments and blanks only\n"
            "hint: a data line is one index a mode, then the value");
  EXPECT_EQ(refusal([&] { read_tns(path("absent.tns")); }),
            "tempera: error: absent.tns: no such file\nhint: check the path; it is relative to the working directory");
  std::filesystem::create_directory(path("folder.tns"));
  EXPECT_EQ(refusal([&] { read_tns(path("folder.tns")); }),
            "tempera: error: folder.tns: is a directory, not a file\nhint: name a tensor file inside it");
  EXPECT_EQ(refused(std::string(3 << 20, '7')),
            "tempera: error: data.tns:1: the line is longer than 1048576 bytes\nhint: is this a text tensor?");
  EXPECT_EQ(refusal([&] { read("1 1 1", {.index_base = -1}); }, 2),
            "tempera: error: --index-base: -1 is negative\nhint: 0 and 1 are usual");
}

TEST_F(Tns, TheFirstBadLineWinsAndLaterLinesAreStillCounted) {
  TnsReader reader(file("data.tns", "1 1 1\nbad\n1 1 worse\n\n1 1 1"), TnsOptions{.block_bytes = 16});
  Index kept = 0;
  for (TnsChunk chunk; reader.next(chunk);) kept += chunk.nonzeros();
  ASSERT_TRUE(reader.state().error().has_value());
  EXPECT_EQ(reader.state().error()->line, 2);
  EXPECT_EQ(reader.state().lines(), 5);
  EXPECT_EQ(kept, 1);
}

struct Ranges {
  std::vector<std::vector<Index>> rows;
  std::vector<double> values;
  Index lines = 0;
  std::string error;
};

/// What ranks that share the file between these cuts would find, put together in order.
Ranges read_ranges(const std::string& path, const std::vector<std::int64_t>& cuts, std::size_t block_bytes) {
  Ranges all;
  for (std::size_t part = 0; part + 1 < cuts.size(); ++part) {
    TnsReader reader(path, cuts[part], cuts[part + 1], TnsOptions{.order = 2, .block_bytes = block_bytes});
    for (TnsChunk chunk; reader.next(chunk);)
      for (std::size_t k = 0; k < static_cast<std::size_t>(chunk.nonzeros()); ++k) {
        all.rows.push_back({chunk.indices(0)[k], chunk.indices(1)[k]});
        all.values.push_back(chunk.values()[k]);
      }
    if (all.error.empty() && reader.state().error())
      all.error = tns_error("data.tns", *reader.state().error(), all.lines).message();
    all.lines += reader.state().lines();
  }
  return all;
}

TEST_F(Tns, EverySplitIntoByteRangesGivesEveryLineOnceAndTheSameLineNumbers) {
  // Two-digit rows, a comment, a blank line, a Windows line end, no newline at the end; then the same with a bad line.
  const std::string good = "1 1 5\n# c\n22 3 -1.5\r\n\n4 44 7\n5 5 1e3";
  const std::string bad = "1 1 5\n# c\n22 3 -1.5\r\n\n4 x 7\n5 5 1e3";
  for (const std::string& text : {good, bad}) {
    const std::string name = file("data.tns", text);
    const auto size = static_cast<std::int64_t>(text.size());
    const Ranges whole = read_ranges(name, {0, size}, 4096);
    EXPECT_EQ(whole.lines, 6);
    EXPECT_EQ(whole.error.empty(), text == good);
    for (std::int64_t a = 0; a <= size; ++a)
      for (std::int64_t b = a; b <= size; ++b)
        for (std::int64_t c : {b, (b + size) / 2, size}) {
          const Ranges parts = read_ranges(name, {0, a, b, c, size}, 16);
          ASSERT_EQ(parts.lines, whole.lines) << "cuts " << a << " " << b << " " << c;
          ASSERT_EQ(parts.error, whole.error) << "cuts " << a << " " << b << " " << c;
          if (text != good) continue;  // after an error ranges before and after it keep different rows
          ASSERT_EQ(parts.rows, whole.rows) << "cuts " << a << " " << b << " " << c;
          ASSERT_EQ(parts.values, whole.values);
        }
  }
}

TEST_F(Tns, BlockSizeDoesNotChangeWhatIsRead) {
  std::string text;
  for (int k = 1; k <= 500; ++k)
    text += std::to_string(k) + " " + std::to_string(k * k) + " " + std::to_string(0.1 * k) + "\n";
  const auto whole = read(text);
  for (std::size_t block : {1, 16, 17, 64, 1000, 1 << 16})
    test::expect_identical(read(text, {.block_bytes = block}), whole);
}

TEST_F(Tns, OrderComesFromTheFirstDataLineAlone) {
  EXPECT_EQ(tns_order(file("data.tns", "# c\n\n1 1 1 2.5\nbad line\n"), {}), 3);
  EXPECT_EQ(refusal([&] { tns_order(file("data.tns", "# c\n"), {}); }),
            "tempera: error: data.tns: no data: 1 line of comments and blanks only\n"
            "hint: a data line is one index a mode, then the value");
}

TEST_F(Tns, WritesWhatItReadsBackBitForBitPlainAndCompressed) {
  SparseTensor tensor({3, 1, 1000000000000});
  for (const double value : {5e-324, -1e308, -0.0, 0.1, 1.0 / 3.0, 1e22, 123456789.0})
    tensor.append(std::vector<Index>{tensor.nonzeros() % 3, 0, 999999999999}, value);
  for (const char* name : {"out.tns", "out.tns.gz"})
    for (const Index base : {0, 1}) {
      write_tns(path(name), tensor, base);
      test::expect_identical(read_tns(path(name), {.index_base = base, .dims = {3, 1, 1000000000000}}), tensor);
    }
  EXPECT_EQ(test::read_text(path("out.tns")).substr(0, 63),
            "# shape 3 1 1000000000000, indices begin at 1\n1 1 1000000000000");
}

TEST_F(Tns, AnUnfinishedFileLeavesNothingBehind) {
  {
    TnsWriter writer(path("out.tns"), std::vector<Index>{2, 2});
    writer.append(std::vector<Index>{0, 0}, 1);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  EXPECT_EQ(refusal(
                [&] {
                  TnsWriter(path("absent/out.tns"), std::vector<Index>{2, 2});
                },
                5),
            "tempera: error: absent/out.tns: cannot be written: No such file or directory\n"
            "hint: the folder must exist");
}

TEST_F(Tns, AFlippedByteOfAGzipFileIsReportedAsDamageWhateverItMakesOfTheText) {
  // Stored blocks keep the text as it is, so that the flipped byte is a bad line in the middle of a sound stream.
  std::string text;
  for (int k = 1; k <= 20000; ++k) text += std::to_string(k) + " 1 1.5\n";
  gzFile stream = ::gzopen(path("data.tns.gz").c_str(), "wb0");
  ASSERT_EQ(::gzwrite(stream, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  ASSERT_EQ(::gzclose(stream), Z_OK);
  const std::string bytes = test::read_text(path("data.tns.gz"));
  const std::size_t first_line = bytes.find("1 1 1.5\n");
  ASSERT_NE(first_line, std::string::npos);
  TnsOptions small;
  small.block_bytes = 1000;
  const std::string expected =
      "tempera: error: flipped.tns.gz: the gzip file is corrupt (incorrect data check)\n"
      "hint: copy or download the file again; gzip -t checks it";
  for (const std::size_t at : {first_line, bytes.find("17 1 1.5"), bytes.find("19999 1 1.5")}) {
    std::string flipped = bytes;
    flipped[at] = 'x';
    EXPECT_EQ(refusal([&] { read_tns(file("flipped.tns.gz", flipped), small); }), expected);
  }
  std::string garbled_order = bytes;
  garbled_order[first_line + 1] = 'x';
  EXPECT_EQ(refusal([&] { tns_order(file("flipped.tns.gz", garbled_order), small); }), expected);
  // A bad line of a sound file stays what it is.
  std::string sound = text;
  sound[0] = 'x';
  stream = ::gzopen(path("sound.tns.gz").c_str(), "wb");
  ::gzwrite(stream, sound.data(), static_cast<unsigned>(sound.size()));
  ASSERT_EQ(::gzclose(stream), Z_OK);
  EXPECT_THAT(refusal([&] { read_tns(path("sound.tns.gz"), small); }),
              testing::StartsWith("tempera: error: sound.tns.gz:1: column 1: "));
}

TEST_F(Tns, RefusesAByteOrderMarkByItsName) {
  EXPECT_EQ(refusal([&] {
              read_tns(file("bom.tns",
                            "\xef\xbb\xbf"
                            "1 1 1\n2 2 2\n"));
            }),
            "tempera: error: bom.tns:1: the line begins with a UTF-8 byte-order mark\n"
            "hint: save the file as plain text, without a BOM");
  EXPECT_EQ(refusal([&] { read_tns(file("bom.tns", "\xef\xbb\xbf# comment\n2 2 2\n")); }),
            "tempera: error: bom.tns:1: the line begins with a UTF-8 byte-order mark\n"
            "hint: save the file as plain text, without a BOM");
}

TEST_F(Tns, RefusesGzipFilesThatAreCutShortCorruptOrNotGzip) {
  SparseTensor tensor({1000, 1000});
  for (Index k = 0; k < 1000; ++k) tensor.append(std::vector<Index>{k, (k * 7919) % 1000}, static_cast<double>(k) / 7);
  write_tns(path("whole.tns.gz"), tensor);
  const std::string bytes = test::read_text(path("whole.tns.gz"));
  for (const std::size_t kept : {bytes.size() / 2, bytes.size() - 1, bytes.size() - 8, std::size_t{12}}) {
    const auto message = refusal([&] { read_tns(file("cut.tns.gz", bytes.substr(0, kept))); });
    EXPECT_THAT(message, testing::MatchesRegex(
                             "tempera: error: cut.tns.gz: the gzip file is cut short .after [0-9]+ bytes of text.\n"
                             "hint: copy or download the file again; gzip -t checks it"));
  }
  std::string wrong_sum = bytes;
  wrong_sum[bytes.size() - 6] = static_cast<char>(wrong_sum[bytes.size() - 6] ^ 0x40);
  EXPECT_EQ(refusal([&] { read_tns(file("sum.tns.gz", wrong_sum)); }),
            "tempera: error: sum.tns.gz: the gzip file is corrupt (incorrect data check)\n"
            "hint: copy or download the file again; gzip -t checks it");
  const auto trailing = "hint: copy or download the file again; gzip -t checks it";
  for (const std::string garbage : {"x", "trailing garbage"})
    EXPECT_EQ(
        refusal([&] { read_tns(file("more.tns.gz", bytes + garbage)); }),
        std::string("tempera: error: more.tns.gz: bytes that are not gzip follow the compressed text\n") + trailing);
  EXPECT_EQ(refusal([&] { read_tns(file("twice.tns.gz", bytes + bytes.substr(0, 20))); }).substr(0, 64),
            "tempera: error: twice.tns.gz: the gzip file is cut short (after ");
  EXPECT_EQ(read_tns(file("twice.tns.gz", bytes + bytes)).nonzeros(), 2000);
  EXPECT_EQ(refusal([&] { read_tns(file("plain.tns.gz", "1 1 1\n")); }),
            "tempera: error: plain.tns.gz: is not a gzip file\nhint: remove .gz from its name if it is plain text");
}

/// What the rules say of a text, by the plainest means: the first bad line, or 0, and the values before it.
struct Verdict {
  Index bad_line = 0;
  std::vector<double> values;
};
Verdict judge_by_the_rules(const std::string& text) {
  Verdict verdict;
  std::istringstream lines(text);
  std::size_t columns = 0;
  Index number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    verdict.bad_line = number;
    if (line.ends_with('\r')) line.pop_back();
    std::vector<std::string> fields(1);
    for (const char c : line) {
      if (c != ' ' && c != '\t')
        fields.back() += c;
      else if (!fields.back().empty())
        fields.emplace_back();
    }
    if (fields.back().empty()) fields.pop_back();
    if (fields.empty() || fields[0][0] == '#') continue;
    if (columns == 0) columns = fields.size();
    if (fields.size() != columns || columns < 3 || columns > 9) return verdict;
    for (std::size_t mode = 0; mode + 1 < columns; ++mode) {
      const auto& field = fields[mode];
      if (field.find_first_not_of("0123456789") != std::string::npos || std::stold(field) < 1 ||
          std::stold(field) > 1e18)
        return verdict;
    }
    const auto& field = fields.back();
    char* end = nullptr;
    const double value = std::strtod(field.c_str(), &end);
    const bool decimal = field.find_first_not_of("+-.0123456789eE") == std::string::npos;
    if (*end != '\0' || field.size() != static_cast<std::size_t>(end - field.c_str()) || !decimal ||
        !std::isfinite(value))
      return verdict;
    verdict.values.push_back(value);
  }
  verdict.bad_line = 0;
  return verdict;
}

TEST_F(Tns, AgreesWithThePlainestReaderOnDamagedTexts) {
  const std::string valid =
      "# counts\n1 2 3 4.5\r\n10 20 30 -1e3\n\n7 7 7 12\n 1\t1 1 .5\n123456 2 3 123456789012345678\n1 1 1 0";
  const std::string bytes = std::string("0123456789 \t\n\r#+-.eEx\xff") + '\0';
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    std::mt19937_64 random(seed);
    std::string text = valid;
    for (std::uint64_t edits = random() % 4; edits-- > 0;) {
      const std::size_t at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, 1 + random() % 3);
      else if (random() % 2 == 0)
        text[at] = bytes[random() % bytes.size()];
      else
        text.insert(at, 1, bytes[random() % bytes.size()]);
    }
    const Verdict expected = judge_by_the_rules(text);
    TnsReader reader(file("data.tns", text), TnsOptions{.block_bytes = 16 + random() % 100});
    std::vector<double> values;
    for (TnsChunk chunk; reader.next(chunk);) values.insert(values.end(), chunk.values().begin(), chunk.values().end());
    ASSERT_EQ(reader.state().error() ? reader.state().error()->line : 0, expected.bad_line) << "seed " << seed << "\n"
                                                                                            << text;
    ASSERT_TRUE(test::same_bits(values, expected.values)) << "seed " << seed << "\n" << text;
    ASSERT_EQ(reader.state().lines(), std::count(text.begin(), text.end(), '\n') + (text.back() != '\n'))
        << "seed " << seed;
    refused += reader.state().error().has_value();
  }
  EXPECT_GT(refused, 500);
  EXPECT_LT(refused, 2500);
}

TEST_F(Tns, AFileWithoutPermissionIsAnErrorOfTheEnvironment) {
  const auto name = file("secret.tns", "1 1 1\n");
  std::filesystem::permissions(name, std::filesystem::perms::none);
  const bool root = ::geteuid() == 0;  // root may read everything
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto message = refusal([&] { read_tns(name); }, 5);
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_EQ(
      message,
      "tempera: error: secret.tns: no permission to read\nhint: change the permissions with chmod, or copy the file");
}

TEST_F(Tns, ReadsTheSplattTestTensors) {
  TEMPERA_REQUIRE_DATA(small, "splatt-test-tensors/small.tns");
  TEMPERA_REQUIRE_DATA(mixed, "splatt-test-tensors/small4_zeroidx.tns");
  TEMPERA_REQUIRE_DATA(medium, "splatt-test-tensors/med.tns.gz");
  EXPECT_THAT(read_tns(small).shape(), ElementsAre(2, 3, 2));
  EXPECT_EQ(read_tns(small).nonzeros(), 6);
  EXPECT_THROW(read_tns(mixed), Error);
  const auto tensor = read_tns(medium);
  EXPECT_THAT(tensor.shape(), ElementsAre(2425, 10816, 29567));
  EXPECT_EQ(tensor.nonzeros(), 100000);
  double sum = 0, squares = 0;
  for (const double value : tensor.values()) {
    sum += value;
    squares += value * value;
  }
  EXPECT_EQ(sum, 376882);
  EXPECT_EQ(squares, 1568422);
  SparseTensor copy = tensor;
  EXPECT_EQ(copy.sum_duplicates(), 0);
}

}  // namespace
}  // namespace tempera
