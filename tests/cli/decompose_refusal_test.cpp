#include <sstream>

#include "core/io/hdf5_file.hpp"
#include "core/io/npy.hpp"
#include "core/io/tns.hpp"
#include "tests/cli/decompose_fixture.hpp"
#include "tests/support/full_disk.hpp"
#include "tests/support/tensors.hpp"

namespace tempera {
namespace {

using testing::HasSubstr;
using Texts = std::vector<std::string>;
using Json = nlohmann::json;
using DecomposeRefusal = test::DecomposeCommand;

TEST_F(DecomposeRefusal, RefusesBadFiles) {
  expect_refusal({"absent.tns"}, 3,
                 "absent.tns: no such file\nhint: check the path; it is relative to the working directory");
  std::filesystem::create_directory(folder_ / "folder.tns");
  expect_refusal({"folder.tns"}, 3, "folder.tns: is a directory, not a file\nhint: name a tensor file inside it");
}

TEST_F(DecomposeRefusal, RefusesBadTextWithTheLine) {
  const auto message_of = [&](const std::string& text, const Texts& more = {}) {
    file("bad.tns", text);
    Texts arguments{"bad.tns", "--output", "refused"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const auto one = decompose(arguments);
    EXPECT_EQ(one.status, 3) << one.err;
    const auto three = decompose(arguments, 3);
    EXPECT_EQ(three.status, 3) << three.err;
    EXPECT_EQ(test::occurrences(three.err, "tempera: error: "), 1) << three.err;
    EXPECT_THAT(three.err, HasSubstr(one.err)) << "the same message on every number of ranks";
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused"));
    return one.err;
  };
  EXPECT_THAT(message_of(""), HasSubstr("tempera: error: bad.tns: "));
  EXPECT_THAT(message_of("# only a header\n\n"), HasSubstr("bad.tns"));
  EXPECT_THAT(message_of("1 1 1 2\n1 x 1 2\n"), HasSubstr("bad.tns:2: "));
  EXPECT_THAT(message_of("1 1 1 2\n\n# c\n0 1 1 2\n"),
              testing::AllOf(HasSubstr("bad.tns:4: "), HasSubstr("--index-base")));
  EXPECT_THAT(message_of("1 1 1 2\n2 1 1 2\n", {"--dims", "1,1,1"}), HasSubstr("bad.tns:2: "));
  EXPECT_THAT(message_of("1 1 1 2\n1 1 2\n"), HasSubstr("bad.tns:2: "));
  EXPECT_THAT(message_of("1 1 1 nan\n"), HasSubstr("bad.tns:1: "));
  EXPECT_THAT(message_of("1 1 1 inf\n"), HasSubstr("bad.tns:1: "));
  EXPECT_THAT(message_of("1 2\n"), HasSubstr("bad.tns:1: "));
  EXPECT_THAT(message_of("1 1 1 1 1 1 1 1 1 2\n"), HasSubstr("bad.tns:1: "));
  EXPECT_THAT(message_of("1 1 99999999999999999999 2\n"), HasSubstr("bad.tns:1: "));
  // A late bad line, so that under mpirun it lies in the last byte range.
  std::string many;
  for (int line = 0; line < 5000; ++line) many += "1 2 3 4.5\n";
  EXPECT_THAT(message_of(many + "1 2 oops 1\n" + many), HasSubstr("bad.tns:5001: "));
}

TEST_F(DecomposeRefusal, RefusesBadArraysAndContainers) {
  file("magic.npy", std::string(200, 'x'));
  EXPECT_THAT(decompose({"magic.npy"}).err, HasSubstr("magic.npy"));
  EXPECT_EQ(decompose({"magic.npy"}, 2).status, 3);
  write_npy(folder_ / "ok.npy", test::random_dense({3, 4, 5}, 1));
  std::string bytes = test::read_text(folder_ / "ok.npy");
  file("short.npy", bytes.substr(0, bytes.size() - 9));
  EXPECT_THAT(decompose({"short.npy"}).err, HasSubstr("short.npy"));
  EXPECT_EQ(decompose({"short.npy"}, 2).status, 3);
  file("text.h5", "not HDF5 at all, but long enough to be looked at");
  EXPECT_EQ(decompose({"text.h5"}).status, 3);
  write_hdf5(folder_ / "x.h5", test::random_dense({3, 4}, 1), "/other");
  const auto missing = decompose({"x.h5"}, 2);
  EXPECT_EQ(missing.status, 3);
  EXPECT_THAT(missing.err, HasSubstr("/other"));
  EXPECT_EQ(decompose({"x.h5:/other", "--rank", "1", "--output", "run"}).status, 0);
  write_tns(folder_ / "z.tns.gz", test::random_sparse({30, 30, 30}, 2000, 1));
  bytes = test::read_text(folder_ / "z.tns.gz");
  file("cut.tns.gz", bytes.substr(0, bytes.size() / 2));
  const auto cut = decompose({"cut.tns.gz"}, 2);
  EXPECT_EQ(cut.status, 3);
  EXPECT_THAT(cut.err, HasSubstr("cut.tns.gz"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "runs"));
}

TEST_F(DecomposeRefusal, RefusesArraysOfObjectsAndShapesThatNoFileHolds) {
  const auto array = [&](const std::string& name, std::string header) {
    header.resize(117, ' ');
    file(name, std::string("\x93NUMPY\x01\0\x76\0", 10) + header + "\n" + std::string(64, 'x'));
  };
  array("object.npy", "{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }");
  expect_refusal({"object.npy"}, 3,
                 "object.npy: holds Python objects (type '|O'), not plain numbers\n"
                 "hint: convert it to float64 before saving: numpy.save(path, array.astype('f8'))");
  array("huge.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000, 1000000), }");
  expect_refusal({"huge.npy"}, 3,
                 "huge.npy: the .npy file is cut short: shape (1000000, 1000000, 1000000) of type <f8 takes "
                 "8000000000000000000 bytes, 64 are there\nhint: copy or write the file again");
  array("huger.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4294967296), }");
  expect_refusal({"huger.npy"}, 3,
                 "huger.npy: the claimed shape (4294967296, 4294967296, 4294967296) is larger than any file\n"
                 "hint: the header is corrupt");
}

TEST_F(DecomposeRefusal, RefusesBadOptionFilesWithTheLine) {
  good();
  file("type.toml", "# options\nrank = 3.5\n");
  expect_refusal({"good.tns", "--config", "type.toml"}, 2,
                 "type.toml:2: rank: a whole number expected, not a number\nhint: see 'tempera decompose --help'");
  file("broken.toml", "rank = = 3\n");
  expect_refusal({"good.tns", "--config", "broken.toml"}, 2,
                 "broken.toml:1: Error while parsing value: could not determine value type\n"
                 "hint: the file must be TOML: key = value, texts in quotes");
  file("table.toml", "[decompose]\nrank = 3\n");
  expect_refusal({"good.tns", "--config", "table.toml"}, 2,
                 "table.toml:1: unknown key 'decompose'\nhint: keys are the long options of 'tempera decompose "
                 "--help'");
}

TEST_F(DecomposeRefusal, RefusesWrongOptions) {
  good();
  const auto usage = [&](const Texts& options) {
    Texts arguments{"good.tns", "--output", "refused"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const auto result = decompose(arguments);
    EXPECT_EQ(result.status, 2) << result.err;
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused"));
    return result.err;
  };
  EXPECT_THAT(usage({"--rank", "0"}), HasSubstr("--rank"));
  EXPECT_THAT(usage({"--rank", "-3"}), HasSubstr("--rank"));
  EXPECT_THAT(usage({"--tolerance", "-1"}), HasSubstr("--tolerance"));
  EXPECT_THAT(usage({"--rnak", "3"}), HasSubstr("did you mean --rank?"));
  EXPECT_EQ(usage({"--constraint", "nonegative"}),
            "tempera: error: --constraint: unknown constraint 'nonegative'\nhint: did you mean 'nonnegative'?\n");
  EXPECT_THAT(usage({"--constraint", "nonnegative@3"}), HasSubstr("mode 3 in 'nonnegative@3' of a tensor of order 3"));
  EXPECT_THAT(usage({"--constraint", "unimodel@1"}), HasSubstr("hint: did you mean 'unimodal'?"));
  EXPECT_THAT(usage({"--constraint", "l1:-1"}), HasSubstr("the weight of a penalty is negative in 'l1:-1'"));
  EXPECT_THAT(usage({"--constraint", "orthogonal", "--rank", "50"}),
              HasSubstr("cannot be orthogonal: the rank is above the size of the mode"));
  EXPECT_THAT(usage({"--constraint", "row-simplex@1", "--constraint", "box:-2,-1@1"}),
              HasSubstr("the entries of a simplex are nonnegative, and the box allows negative ones only"));
  EXPECT_THAT(usage({"--constraint", "smooth:1", "--constraint", "unimodal@1"}),
              HasSubstr("'smooth:1 unimodal' in mode 1"));
  EXPECT_THAT(usage({"--solver", "hals"}), HasSubstr("--solver: hals solves nonnegative modes (with l1 and ridge)"));
  EXPECT_THAT(usage({"--solver", "hps"}), HasSubstr("--solver"));
  EXPECT_THAT(usage({"--grid", "2x1x1"}), HasSubstr("grid 2x1x1 is for 2 MPI ranks, but 1 run"));
  EXPECT_THAT(usage({"--grid", "2xx1"}), HasSubstr("'2xx1' is not a grid"));
  EXPECT_THAT(usage({"--grid", "1x1"}), HasSubstr("2 extents for a tensor of order 3"));
  file("wrong.toml", "# options\nrank = 2\niteratons = 5\n");
  EXPECT_THAT(usage({"--config", "wrong.toml"}), testing::AllOf(HasSubstr("wrong.toml:3: "), HasSubstr("iterations")));
  const auto ranks = decompose({"good.tns", "--grid", "3x1x1", "--output", "refused"}, 2);
  EXPECT_EQ(ranks.status, 2);
  EXPECT_THAT(ranks.err, HasSubstr("grid 3x1x1 is for 3 MPI ranks, but 2 run"));
}

TEST_F(DecomposeRefusal, RefusesBadLabelsOnEveryNumberOfRanks) {
  good();
  const std::string form =
      "\nhint: the form is {\"modes\":[{\"name\":\"letter\",\"labels\":[\"a\",\"b\"]}]}, with one entry a mode";
  const auto expect_everywhere = [&](const std::string& message) {
    expect_refusal({"good.tns"}, 3, message);
    const auto three = decompose({"good.tns", "--output", "refused"}, 3);
    EXPECT_EQ(three.status, 3) << three.err;
    EXPECT_EQ(test::occurrences(three.err, "tempera: error: " + message + "\n"), 1) << three.err;
  };
  file("good.tns.labels.json", "{\n  broken");
  expect_everywhere("good.tns.labels.json:2: is not valid JSON here" + form);
  file("good.tns.labels.json", R"({"modes":[{"labels":["a"]},{},{}]})");
  expect_everywhere("good.tns.labels.json: 1 labels for mode 0, whose size is 3" + form);
  std::filesystem::remove(folder_ / "good.tns.labels.json");
  std::filesystem::create_directory(folder_ / "good.tns.labels.json");
  expect_everywhere("good.tns.labels.json: is a directory, not a file\nhint: name a tensor file inside it");
}

TEST_F(DecomposeRefusal, RefusesValuesWhoseNormOverflows) {
  for (int ranks : {0, 2}) {
    const auto result = decompose({file("large.tns", "1 1 1e200\n2 2 2\n"), "--output", "refused"}, ranks);
    EXPECT_EQ(result.status, 4);
    EXPECT_EQ(test::occurrences(result.err, "tempera: error: "), 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("tempera: error: the squared norm of the tensor overflows: its largest magnitude "
                                      "is 1e+200\nhint: scale the values, for example to unit maximum\n"));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused"));
  }
}

TEST_F(DecomposeRefusal, RefusesARankThatCannotFitIntoMemory) {
  for (int ranks : {0, 2}) {
    const auto result = decompose({good(), "--rank", "10000000", "--output", "refused"}, ranks);
    EXPECT_EQ(result.status, 5);
    EXPECT_THAT(result.err, HasSubstr("tempera: error: --rank: rank 10000000 needs "));
    EXPECT_EQ(test::occurrences(result.err, "tempera: error: "), 1);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused"));
  }
}

TEST_F(DecomposeRefusal, RefusesAnOutputThatCannotBeWritten) {
  good();
  file("taken", "a file");
  EXPECT_EQ(decompose({"good.tns", "--output", "taken"}).err,
            "tempera: error: taken: the output exists and is not a folder\nhint: choose another --output\n");
  EXPECT_EQ(decompose({"good.tns", "--output", "taken/below"}, 2).status, 5);
}

TEST_F(DecomposeRefusal, FactorsThatFindNoRoomAreRefusedBeforeTheRunBegins) {
  test::SmallDisk disk("64k");
  TEMPERA_REQUIRE_MOUNTED(disk);
  write_tns(folder_ / "x.tns", test::random_sparse({400, 300, 200}, 3000, 3));
  for (int ranks : {0, 2}) {
    const auto result =
        decompose({"x.tns", "--rank", "20", "--iterations", "3", "--output", (disk / "run").string()}, ranks);
    EXPECT_EQ(result.status, 5) << result.err;
    EXPECT_EQ(test::occurrences(result.err, "tempera: error: "), 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("run/factors.h5: cannot be written: about 141 KiB are needed, 64.0 KiB are free\n"
                                      "hint: free some space, or write to another disk\n"));
    EXPECT_TRUE(std::filesystem::is_empty(disk.path())) << "found before the run began";
  }
}

TEST_F(DecomposeRefusal, RefusesFactorsThatFindNoRoomOnAnyDisk) {
  file("huge.tns", "1 1 1 2\n1099511627776 2 2 3\n");
  for (int ranks : {0, 2}) {
    const auto result = decompose({"huge.tns", "--rank", "2", "--output", "refused"}, ranks);
    EXPECT_EQ(result.status, 5) << result.err;
    EXPECT_THAT(result.err,
                HasSubstr("tempera: error: refused/factors.h5: cannot be written: about 16.0 TiB are needed, "));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "refused"));
  }
}

TEST_F(DecomposeRefusal, ADiskThatIsFullBeforeTheRunBeginsGetsNoFolder) {
  test::SmallDisk disk("64k");
  TEMPERA_REQUIRE_MOUNTED(disk);
  good();
  disk.fill();
  const std::string run = (disk / "run").string();
  const auto result = decompose({"good.tns", "--rank", "1", "--output", run});
  EXPECT_EQ(result.status, 5);
  EXPECT_EQ(result.err, "tempera: error: " + run +
                            "/factors.h5: cannot be written: about 56 B are needed, 0 B are free\n"
                            "hint: free some space, or write to another disk\n");
  EXPECT_FALSE(std::filesystem::exists(run));
}

TEST_F(DecomposeRefusal, ADiskThatFillsUpDuringTheSweepsEndsNoneOfThemAndLeavesWholeLines) {
  test::SmallDisk disk("64k");
  TEMPERA_REQUIRE_MOUNTED(disk);
  good();
  const std::string run = (disk / "run").string();
  for (int ranks : {0, 3}) {
    const auto result = decompose(
        {"good.tns", "--rank", "1", "--tolerance", "0", "--iterations", "100000", "--output", run, "--overwrite"},
        ranks);
    EXPECT_EQ(result.status, 5) << result.err;
    EXPECT_EQ(test::occurrences(result.err, "tempera: error: "), 1) << result.err;
    EXPECT_THAT(result.err, HasSubstr("tempera: warning: " + run +
                                      "/progress.jsonl: cannot be written: No space left on device; the run goes on, "
                                      "steps will be missing there\n"));
    EXPECT_THAT(result.err,
                HasSubstr("tempera: error: " + run + "/factors.h5: cannot be written: about 64.1 KiB are "));
    const std::string log = test::read_text(run + "/progress.jsonl");
    EXPECT_TRUE(log.ends_with("\n"));
    std::istringstream lines(log);
    for (std::string line; std::getline(lines, line);) EXPECT_TRUE(Json::accept(line)) << line;
    EXPECT_TRUE(Json::accept(test::read_text(run + "/manifest.json")));
    EXPECT_FALSE(std::filesystem::exists(run + "/summary.json"));  // and --overwrite may use what the old run took
  }
}

}  // namespace
}  // namespace tempera
