#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/io/tns.hpp"
#include "tests/support/data.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/process.hpp"

namespace tempera {
namespace {

using testing::HasSubstr;
using Texts = std::vector<std::string>;

class ConvertCommand : public testing::Test {
 protected:
  test::ProcessResult convert(Texts arguments) const {
    arguments.insert(arguments.begin(), "convert");
    return test::tempera(arguments, {.seconds = 120, .folder = folder_.path(), .environment = {}});
  }
  void expect_refusal(const Texts& arguments, int status, const std::string& message) const {
    const auto result = convert(arguments);
    EXPECT_EQ(result.status, status);
    EXPECT_EQ(result.out, "");
    EXPECT_EQ(result.err, "tempera: error: " + message + "\n");
  }
  std::string file(const std::string& name, const std::string& text) const {
    test::write_text(folder_ / name, text);
    return name;
  }
  test::TemporaryFolder folder_;
};

TEST_F(ConvertCommand, GoesRoundThroughEveryFormatAndSaysWhatItWrote) {
  file("in.tns", "1 1 1 0.1\n2 3 1 -7\n1 1 1 2\n");
  auto result = convert({"in.tns", "a.h5"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(
      result.out,
      "a.h5: sparse tensor of shape 2 x 3 x 1, 2 entries\nduplicate coordinates: 1 entry was summed into others\n");
  EXPECT_EQ(convert({"a.h5", "b.npy"}).out, "b.npy: dense tensor of shape 2 x 3 x 1, 6 cells\n");
  EXPECT_EQ(convert({"b.npy", "c.tns.gz", "--drop-zeros"}).out,
            "c.tns.gz: sparse tensor of shape 2 x 3 x 1, 2 entries\nleft out: 4 zeros\n");
  EXPECT_EQ(convert({"c.tns.gz", "d.tns"}).out, "d.tns: sparse tensor of shape 2 x 3 x 1, 2 entries\n");
  EXPECT_EQ(test::read_text(folder_ / "d.tns"), "# shape 2 3 1, indices begin at 1\n1 1 1 2.1\n2 3 1 -7\n");
}

TEST_F(ConvertCommand, CountsLetterSequencesOfTextsWithLabels) {
  file("a.txt", "Abc, abc!");
  file("b.txt", "abc");
  const auto result = convert({"--ngrams", "3", "a.txt", "b.txt", "out.tns"});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out,
            "out.tns: sparse tensor of shape 27 x 27 x 27, 4 entries\nout.tns.labels.json: labels of the indices\n");
  // abc three times; bc_ twice (before the comma's space and the exclamation mark), c_a and _ab once.
  EXPECT_EQ(test::read_text(folder_ / "out.tns"),
            "# shape 27 27 27, indices begin at 1\n1 2 3 3\n2 3 27 2\n3 27 1 1\n27 1 2 1\n");
  EXPECT_THAT(test::read_text(folder_ / "out.tns.labels.json"), HasSubstr("\"third letter\""));
}

TEST_F(ConvertCommand, RefusesWrongUsageWithStatusTwo) {
  file("in.tns", "1 1 1\n");
  expect_refusal({"in.tns"}, 2,
                 "convert: the output is missing\nhint: give the input, then the output: tempera convert IN OUT");
  expect_refusal({"in.tns", "in.tns", "out.h5"}, 2,
                 "convert: 2 inputs are given, one is expected\nhint: several texts need --ngrams; tensors are "
                 "converted one by one");
  expect_refusal(
      {"in.tns", "out.csv"}, 2,
      "out.csv: the extension names no tensor format\nhint: known are .tns .tns.gz .npy .h5 .hdf5 and FILE.h5:/PATH");
  expect_refusal({"in.tns", "out.h5", "--dense", "--sparse"}, 2,
                 "--dense: contradicts --sparse\nhint: pass one of them");
  expect_refusal({"--ngrams", "3", "in.tns", "out.tns", "--dims", "2,2"}, 2,
                 "--dims: does not apply to --ngrams\nhint: the modes have size 27");
  EXPECT_EQ(convert({"in.tns", "out.h5", "--ngrams", "9"}).status, 2);
  EXPECT_EQ(convert({"in.tns", "out.h5", "--index-base", "-1"}).status, 2);
  EXPECT_EQ(convert({"in.tns", "out.h5", "--denze"}).status, 2);
}

TEST_F(ConvertCommand, RefusesBadFilesWithStatusThreeAndLeavesNoOutput) {
  expect_refusal({"absent.tns", "out.h5"}, 3,
                 "absent.tns: no such file\nhint: check the path; it is relative to the working directory");
  std::filesystem::create_directory(folder_ / "folder.npy");
  expect_refusal({"folder.npy", "out.h5"}, 3,
                 "folder.npy: is a directory, not a file\nhint: name a tensor file inside it");
  file("empty.tns", "");
  expect_refusal({"empty.tns", "out.h5"}, 3,
                 "empty.tns: the file is empty\nhint: check that it was written completely");
  file("zero.tns", "1 1 1\n0 1 1\n");
  expect_refusal({"zero.tns", "out.h5"}, 3,
                 "zero.tns:2: column 1: index 0 in a file whose indices begin at 1\n"
                 "hint: pass --index-base 0 if the first index of each mode is 0 in this file");
  EXPECT_EQ(convert({"zero.tns", "zero.npy", "--index-base", "0"}).status, 0);
  expect_refusal({"zero.tns", "out.h5", "--index-base", "0", "--dims", "1,2"}, 3,
                 "zero.tns:1: column 1: index 1 is beyond the declared size 1\n"
                 "hint: enlarge --dims, or leave it out to take the sizes from the file");
  file("bad.npy", "not an array");
  expect_refusal({"bad.npy", "out.h5"}, 3,
                 "bad.npy: is not a .npy file (its first bytes are wrong)\nhint: write it with numpy.save");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out.h5"));
}

TEST_F(ConvertCommand, RefusesAnOutputThatExistsWithStatusFive) {
  file("in.tns", "1 1 1\n");
  file("out.tns", "precious");
  expect_refusal({"in.tns", "out.tns"}, 5,
                 "out.tns: the output exists already\nhint: pass --overwrite to replace it, or choose another name");
  EXPECT_EQ(test::read_text(folder_ / "out.tns"), "precious");
  EXPECT_EQ(convert({"in.tns", "out.tns", "--overwrite"}).status, 0);
  EXPECT_NE(test::read_text(folder_ / "out.tns"), "precious");
}

TEST_F(ConvertCommand, AFullDiskIsStatusFiveAndLeavesNothing) {
  const test::SmallDisk disk("256k");
  TEMPERA_REQUIRE_MOUNTED(disk);
  std::string text;
  for (int k = 1; k <= 20000; ++k) text += std::to_string(k) + " " + std::to_string(k) + " 0.123456789012\n";
  file("in.tns", text);
  for (const char* name : {"out.tns", "out.h5"}) {
    const auto result = convert({"in.tns", (disk / name).string()});
    EXPECT_EQ(result.status, 5);
    EXPECT_THAT(result.err, HasSubstr("hint: free some space, or write to another disk\n"));
    EXPECT_TRUE(std::filesystem::is_empty(disk.path())) << name;
  }
}

TEST_F(ConvertCommand, OnlyOneOfSeveralProcessesDoesTheWork) {
  file("in.tns", "1 1 1\n");
  const auto result = test::tempera_ranks(3, {"convert", "in.tns", "out.npy"},
                                          {.seconds = 120, .folder = folder_.path(), .environment = {}});
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "out.npy: dense tensor of shape 1 x 1, 1 cell\n");
}

}  // namespace
}  // namespace tempera
