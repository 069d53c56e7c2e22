#include "core/io/inference_data.hpp"

#include <cmath>
#include <filesystem>
#include <numeric>
#include <random>

#include "core/base/contract.hpp"
#include "core/io/detail/hdf5_handle.hpp"
#include "tests/support/netcdf_contents.hpp"
#include "tests/unit/io/io_fixture.hpp"

namespace tempera {
namespace {

using test::NetcdfContents;
using testing::ElementsAre;
using testing::IsEmpty;
using Type = InferenceVariable::Type;

class InferenceData : public test::IoTest {
 protected:
  static constexpr Index kChains = 3, kDraws = 7;
  static InferenceLayout layout() {
    InferenceLayout layout;
    layout.attributes = {{"title", std::string("two schools")}};
    layout.groups.push_back({"posterior",
                             kChains,
                             kDraws,
                             {{"mu[1].x", {}, Type::float64, {}},
                              {"theta", {4}, Type::float64, {"school"}},
                              {"L", {2, 3}, Type::float64, {}},
                              {"component", {4}, Type::int64, {"school"}},
                              {"in model", {}, Type::boolean, {}}},
                             inference_attributes("2026-01-31T12:34:56Z", 1.5, 1000)});
    layout.groups.push_back(
        {"sample_stats", kChains, kDraws, {{"diverging", {}, Type::boolean, {}}, {"lp", {}, Type::float64, {}}}, {}});
    layout.groups.push_back(
        {"observed_data", 0, 0, {{"y", {5}, Type::int64, {}}, {"sigma", {}, Type::float64, {}}}, {}});
    layout.groups.push_back(
        {"tempering",
         0,
         0,
         {{"beta", {2}, Type::float64, {"replica"}}, {"swaps", {3, 2}, Type::int64, {"round", "replica"}}},
         {}});
    return layout;
  }

  /// All values of a variable, in C order: different in every cell, and what its type can hold.
  static std::vector<double> cells(std::size_t seed, Type type, Index count) {
    std::vector<double> values(static_cast<std::size_t>(count));
    for (std::size_t k = 0; k < values.size(); ++k) {
      const auto number = static_cast<double>(seed * 1000 + k);
      values[k] = type == Type::float64 ? number + 0.125 : type == Type::int64 ? -number * 1e12 : std::fmod(number, 2);
    }
    return values;
  }
  static Index entries(const InferenceVariable& variable) {
    return std::accumulate(variable.shape.begin(), variable.shape.end(), Index{1}, std::multiplies<>());
  }

  /// From records that hold a draw's entries of all variables of the group; blocks of draws, the last ones first if asked.
  static void write(InferenceDataWriter& writer, Index chains_at_once, Index draws_at_once, bool backwards) {
    const InferenceLayout whole = layout();
    for (const InferenceGroup& group : whole.groups) {
      Index record = 0;
      for (const InferenceVariable& variable : group.variables) record += entries(variable);
      const Index chains = std::max<Index>(group.chains, 1), draws = std::max<Index>(group.draws, 1);
      std::vector<double> records(static_cast<std::size_t>(chains * draws * record));
      Index begin = 0;
      for (std::size_t v = 0; v < group.variables.size(); begin += entries(group.variables[v++])) {
        const Index n = entries(group.variables[v]);
        const auto values = cells(v + 1, group.variables[v].type, chains * draws * n);
        for (Index row = 0; row < chains * draws; ++row)
          std::copy_n(values.data() + row * n, n, records.data() + row * record + begin);
      }
      std::vector<std::pair<Index, Index>> blocks;
      for (Index chain = 0; chain < chains; chain += chains_at_once)
        for (Index draw = 0; draw < draws; draw += draws_at_once) blocks.emplace_back(chain, draw);
      if (backwards) std::reverse(blocks.begin(), blocks.end());
      for (const auto& [chain, draw] : blocks) {
        begin = 0;
        for (const InferenceVariable& variable : group.variables) {
          const DrawRange range{chain, std::min(chains_at_once, chains - chain), draw,
                                std::min(draws_at_once, draws - draw)};
          const auto from = static_cast<std::size_t>((chain * draws + draw) * record + begin);
          writer.write(group.name, variable.name, range, {std::span(records).subspan(from), draws * record, record});
          begin += entries(variable);
        }
      }
    }
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename());
    return names;
  }
  /// A layout of one group and how its refusal reads.
  std::string refused(std::vector<InferenceVariable> variables, const std::string& group = "posterior") const {
    return refusal([&] { check_inference_layout({{{group, 2, 5, std::move(variables), {}}}, {}}); });
  }
};

TEST_F(InferenceData, EveryTypeAndShapeComesBackFromBlocksOfRecords) {
  InferenceDataWriter writer(path("draws.nc"), layout());
  write(writer, 1, 3, false);
  EXPECT_FALSE(std::filesystem::exists(path("draws.nc")));
  writer.commit();
  const NetcdfContents file(path("draws.nc"));
  for (const InferenceGroup& group : layout().groups) {
    for (std::size_t v = 0; v < group.variables.size(); ++v) {
      const InferenceVariable& variable = group.variables[v];
      const Index rows = std::max<Index>(group.chains, 1) * std::max<Index>(group.draws, 1);
      EXPECT_EQ(file.values(group.name, variable.name), cells(v + 1, variable.type, rows * entries(variable)))
          << group.name << "/" << variable.name;
      EXPECT_FALSE(file.fills(group.name, variable.name)) << "all data would pass through memory";
      EXPECT_EQ(file.type(group.name, variable.name), variable.type == Type::float64 ? NC_DOUBLE
                                                      : variable.type == Type::int64 ? NC_INT64
                                                                                     : NC_BYTE);
    }
  }
}

TEST_F(InferenceData, DimensionsCoordinatesAndAttributesAreThoseOfArviz) {
  InferenceDataWriter writer(path("draws.nc"), layout());
  write(writer, kChains, kDraws, false);
  writer.commit();
  const NetcdfContents file(path("draws.nc"));
  EXPECT_THAT(file.dimensions("posterior", "mu[1].x"), ElementsAre("chain", "draw"));
  EXPECT_THAT(file.dimensions("posterior", "theta"), ElementsAre("chain", "draw", "school"));
  EXPECT_THAT(file.dimensions("posterior", "L"), ElementsAre("chain", "draw", "L_dim_0", "L_dim_1"));
  EXPECT_THAT(file.sizes("posterior", "L"), ElementsAre(3, 7, 2, 3));
  EXPECT_THAT(file.dimensions("observed_data", "y"), ElementsAre("y_dim_0"));
  EXPECT_THAT(file.dimensions("observed_data", "sigma"), IsEmpty());
  EXPECT_THAT(file.dimensions("tempering", "swaps"), ElementsAre("round", "replica"));
  EXPECT_THAT(file.values("posterior", "chain"), ElementsAre(0, 1, 2));
  EXPECT_THAT(file.values("sample_stats", "draw"), ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(file.values("posterior", "school"), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(file.values("posterior", "L_dim_1"), ElementsAre(0, 1, 2));
  EXPECT_EQ(file.type("posterior", "chain"), NC_INT64);
  EXPECT_EQ(file.text("sample_stats", "dtype", "diverging"), "bool");
  EXPECT_EQ(file.text("", "title"), "two schools");
  EXPECT_EQ(file.text("posterior", "created_at"), "2026-01-31T12:34:56Z");
  EXPECT_EQ(file.text("posterior", "creation_library"), "Tempera");
  EXPECT_EQ(file.text("posterior", "inference_library"), "Tempera");
  EXPECT_EQ(file.text("posterior", "inference_library_version"), file.text("posterior", "creation_library_version"));
  EXPECT_EQ(file.number("posterior", "sampling_time"), 1.5);
  EXPECT_EQ(file.number("posterior", "tuning_steps"), 1000);
}

TEST_F(InferenceData, BytesDependOnNeitherBlocksNorTheirOrder) {
  const struct {
    const char* name;
    Index chains, draws;
    bool backwards;
  } ways[] = {{"a.nc", 1, 1, false}, {"b.nc", kChains, kDraws, false}, {"c.nc", 2, 4, true}};
  for (const auto& way : ways) {
    InferenceDataWriter writer(path(way.name), layout());
    write(writer, way.chains, way.draws, way.backwards);
    writer.commit();
    EXPECT_EQ(test::read_text(path(way.name)), test::read_text(path("a.nc"))) << way.name;
  }
  InferenceLayout later = layout();
  later.groups[0].attributes[0].value = "2026-01-31T12:34:57Z";
  InferenceDataWriter writer(path("later.nc"), later);
  write(writer, 1, 1, false);
  writer.commit();
  EXPECT_NE(test::read_text(path("later.nc")), test::read_text(path("a.nc")));
}

TEST_F(InferenceData, VariablesLargerThanTheBufferComeBackWhole) {
  constexpr Index kEntries = 150000, kMany = 300000, kFlags = 2500000;  // the buffer holds 131072 reals, 1048576 flags
  InferenceDataWriter writer(path("draws.nc"), {{{"posterior", 1, 2, {{"factor", {kEntries}, Type::float64, {}}}, {}},
                                                 {"prior", 1, kMany, {{"mu", {}, Type::float64, {}}}, {}},
                                                 {"constant_data", 0, 0, {{"in", {kFlags}, Type::boolean, {}}}, {}}},
                                                {}});
  const std::uint64_t seed = 11;
  std::mt19937_64 random(seed);
  std::vector<double> factor(2 * (kEntries + 3)), mu(3 * kMany), flags(kFlags);
  for (auto* values : {&factor, &mu})
    for (double& value : *values) value = std::ldexp(static_cast<double>(random() >> 11), -53);
  for (double& flag : flags) flag = static_cast<double>(random() % 2);
  writer.write("posterior", "factor", {0, 1, 0, 2}, {factor, 0, kEntries + 3});
  writer.write("prior", "mu", {0, 1, 0, kMany}, {mu, 0, 3});
  writer.write("constant_data", "in", flags);
  writer.commit();
  const NetcdfContents file(path("draws.nc"));
  const auto factor_read = file.values("posterior", "factor"), mu_read = file.values("prior", "mu");
  for (std::size_t k = 0; k < factor_read.size(); ++k)
    ASSERT_EQ(factor_read[k], factor[k % kEntries + k / kEntries * (kEntries + 3)]) << k << " seed " << seed;
  for (std::size_t k = 0; k < mu_read.size(); ++k) ASSERT_EQ(mu_read[k], mu[3 * k]) << k << " seed " << seed;
  EXPECT_EQ(file.values("constant_data", "in"), flags);
}

TEST_F(InferenceData, CellsThatWereNeverWrittenAreNan) {
  constexpr Index kLong = 400000;
  InferenceDataWriter writer(
      path("draws.nc"),
      {{{"posterior", 2, kLong, {{"a", {}, Type::float64, {}}, {"never", {2}, Type::float64, {}}}, {}}}, {}});
  const std::vector<double> values{1, 2, 3};
  writer.write("posterior", "a", {0, 1, 5, 3}, {values, 0, 1});
  writer.write("posterior", "a", {0, 1, 2, 3}, {values, 0, 1});
  writer.write("posterior", "a", {0, 1, 4, 3}, {values, 0, 1});  // over parts of both
  writer.write("posterior", "a", {1, 1, kLong - 1, 1}, {values, 0, 1});
  writer.write("posterior", "a", {1, 1, 0, 0}, {values, 0, 1});  // nothing
  writer.commit();
  const NetcdfContents file(path("draws.nc"));
  const auto a = file.values("posterior", "a"), never = file.values("posterior", "never");
  const double written[] = {1, 2, 1, 2, 3, 3};
  for (std::size_t k = 0; k < a.size(); ++k) {
    if (k >= 2 && k < 8)
      ASSERT_EQ(a[k], written[k - 2]) << k;
    else if (k + 1 == a.size())
      ASSERT_EQ(a[k], 1);
    else
      ASSERT_TRUE(std::isnan(a[k])) << k;
  }
  EXPECT_TRUE(std::all_of(never.begin(), never.end(), [](double value) { return std::isnan(value); }));
}

TEST_F(InferenceData, AnIntegerThatWasNeverWrittenIsADefectOfTheCaller) {
  InferenceDataWriter writer(path("draws.nc"), {{{"posterior", 1, 2, {{"k", {}, Type::int64, {}}}, {}}}, {}});
  const double value = 3;
  writer.write("posterior", "k", {0, 1, 1, 1}, {{&value, 1}, 0, 1});
  EXPECT_THROW(writer.commit(), ContractViolation);
  EXPECT_THROW(writer.write("posterior", "k", {0, 1, 1, 2}, {{&value, 1}, 0, 0}), ContractViolation);
  EXPECT_THROW(writer.write("posterior", "k", {0, 1, 0, 2}, {{&value, 1}, 0, 1}), ContractViolation);
  EXPECT_THROW(writer.write("posterior", "m", {&value, 1}), ContractViolation);
  EXPECT_THROW(writer.write("prior", "k", {&value, 1}), ContractViolation);
}

TEST_F(InferenceData, ValuesThatTheTypeCannotHoldAreRefused) {
  InferenceDataWriter writer(
      path("draws.nc"),
      {{{"observed_data", 0, 0, {{"k", {1}, Type::int64, {}}, {"flag", {1}, Type::boolean, {}}}, {}}}, {}});
  const auto write = [&](const char* name, double value) {
    return refusal([&] { writer.write("observed_data", name, {&value, 1}); }, 4);
  };
  EXPECT_EQ(write("k", 0.5), "tempera: error: draws.nc:observed_data/k: the value 0.5 is no integer of 64 bits");
  for (const double value : {0x1p63, -0x1.0000000000001p63, std::nan(""), HUGE_VAL})
    EXPECT_NE(write("k", value), "accepted");
  for (const double value : {-0x1p63, 0x1.fffffffffffffp62, -0.0}) EXPECT_EQ(write("k", value), "accepted");
  EXPECT_EQ(write("flag", 2), "tempera: error: draws.nc:observed_data/flag: the value 2 is neither 0 nor 1");
  EXPECT_NE(write("flag", std::nan("")), "accepted");
}

TEST_F(InferenceData, NamesThatTheFileCannotHoldAreRefusedBeforeAnythingIsWritten) {
  const std::string hint = "\nhint: give it another name; draws are kept in a NetCDF file";
  const auto message = [&](const std::string& what) { return "tempera: error: posterior: " + what + hint; };
  const struct {
    std::string name, problem;
  } bad[] = {{"", "is empty"},
             {"a/b", "holds '/'"},
             {"a\tb", "holds a control character"},
             {"-a", "begins with neither a letter, a digit nor '_'"},
             {"a ", "ends in a space"},
             {"\xff", "is not UTF-8"},
             {"a\xc0\xaf", "is not UTF-8"},
             {"\xed\xa0\x80", "is not UTF-8"},
             {"\xe2\x82", "is not UTF-8"},
             {std::string(256, 'a'), "is longer than 255 bytes"}};
  for (const auto& [name, problem] : bad)
    EXPECT_EQ(refused({{name, {}, Type::float64, {}}}), message("the name \"" + name + "\" " + problem));
  EXPECT_EQ(refused({{"a", {}, Type::float64, {}}, {"a", {}, Type::int64, {}}}),
            message("two variables have the name \"a\""));
  EXPECT_EQ(refused({{"draw", {}, Type::float64, {}}}), message("the name \"draw\" is that of a dimension"));
  EXPECT_EQ(refused({{"a_dim_0", {}, Type::float64, {}}, {"a", {2}, Type::float64, {}}}),
            message("the name \"a_dim_0\" is that of a dimension"));
  EXPECT_EQ(refused({{"a", {2}, Type::float64, {"k"}}, {"b", {3}, Type::float64, {"k"}}}),
            "tempera: error: posterior/b: the dimension \"k\" has 2 and 3 places" + hint);
  EXPECT_EQ(refused({{"a", {2}, Type::float64, {"k/l"}}}),
            "tempera: error: posterior/a: the name \"k/l\" holds '/'" + hint);
  EXPECT_EQ(refused({}, "/"), "tempera: error: draws: the name \"/\" holds '/'" + hint);
  EXPECT_EQ(refusal([] {
              check_inference_layout({{{"a", 1, 1, {}, {}}, {"a", 1, 1, {}, {}}}, {}});
            }),
            "tempera: error: draws: two groups have the name \"a\"" + hint);
  EXPECT_EQ(refusal([&] {
              InferenceDataWriter(path("a.nc"), {{{"posterior", 1, 1, {{"a/b", {}, Type::float64, {}}}, {}}}, {}});
            }),
            message("the name \"a/b\" holds '/'"));
  EXPECT_THAT(files(), IsEmpty());
}

// What check_inference_layout accepts the library accepts, decomposed letters, which it composes, among them.
TEST_F(InferenceData, NamesOfOtherLanguagesAndProgramsAreKept) {
  const std::vector<std::string> names{"b.1.2", "w[1,2]", "\xce\xb2_0",       "e\xcc\x81",          "1st", "_x", "a b",
                                       "x'",    "a\\b",   "\xf0\x9f\x98\x80", std::string(255, 'a')};
  InferenceLayout layout{{{"posterior", 1, 1, {}, {}}}, {}};
  for (const std::string& name : names) layout.groups[0].variables.push_back({name, {}, Type::float64, {}});
  check_inference_layout(layout);
  InferenceDataWriter writer(path("draws.nc"), layout);
  for (std::size_t k = 0; k < names.size(); ++k) {
    const auto value = static_cast<double>(k);
    writer.write("posterior", names[k], {&value, 1});
  }
  writer.commit();
  const NetcdfContents file(path("draws.nc"));
  for (std::size_t k = 0; k < names.size(); ++k)
    EXPECT_THAT(file.values("posterior", names[k]), ElementsAre(static_cast<double>(k))) << names[k];
  layout.groups[0].variables.push_back({"\xc3\xa9", {}, Type::float64, {}});
  EXPECT_THAT(refusal([&] { InferenceDataWriter(path("twice.nc"), layout); }, 5),
              testing::StartsWith("tempera: error: twice.nc: cannot be written: "));
  EXPECT_THAT(files(), ElementsAre("draws.nc"));
}

TEST_F(InferenceData, AnAbandonedFileLeavesNothingAndWhatWasThere) {
  test::write_text(path("draws.nc"), "old");
  {
    InferenceDataWriter writer(path("draws.nc"), layout());
    write(writer, 1, 1, false);
    EXPECT_EQ(files().size(), 2u);
  }
  EXPECT_THAT(files(), ElementsAre("draws.nc"));
  EXPECT_EQ(test::read_text(path("draws.nc")), "old");
  EXPECT_EQ(
      refusal([&] { InferenceDataWriter(path("absent/draws.nc"), layout()); }, 5),
      "tempera: error: absent/draws.nc: cannot be written: No such file or directory\nhint: the folder must exist");
}

// Byte 11 of a superblock of version 2 says that a program has the file open for writing.
TEST_F(InferenceData, FilesAreMarkedAsClosed) {
  InferenceDataWriter writer(path("draws.nc"), layout());
  write(writer, 1, 1, false);
  writer.commit();
  const std::string bytes = test::read_text(path("draws.nc"));
  EXPECT_EQ(bytes[8], 2) << "version of the superblock";
  EXPECT_EQ(bytes[11], 0);
}

// The NetCDF library turns them off when it begins, which is for good.
TEST_F(InferenceData, WhetherHdf5PrintsErrorsStaysAsTheCallerLastChose) {
  { const InferenceDataWriter first(path("first.nc"), layout()); }
  const auto report = [](hid_t, void*) -> herr_t { return 0; };
  H5E_auto2_t before = nullptr, after = nullptr;
  void *data = nullptr, *data_after = nullptr;
  H5Eget_auto2(H5E_DEFAULT, &before, &data);
  H5Eset_auto2(H5E_DEFAULT, report, this);
  { const InferenceDataWriter second(path("second.nc"), layout()); }
  H5Eget_auto2(H5E_DEFAULT, &after, &data_after);
  H5Eset_auto2(H5E_DEFAULT, before, data);
  EXPECT_EQ(after, static_cast<H5E_auto2_t>(report));
  EXPECT_EQ(data_after, this);
}

}  // namespace
}  // namespace tempera
