#include <cmath>

#include "core/base/error.hpp"
#include "drivers/commands/sample/sample_options.hpp"
#include "drivers/commands/sample/sample_problem.hpp"
#include "drivers/commands/sample/sample_report.hpp"
#include "tests/cli/sample_fixture.hpp"

namespace tempera {
namespace {

using testing::HasSubstr;
using SampleRefusal = test::SampleCommand;

TEST_F(SampleRefusal, RefusesWhatHasNoSuchName) {
  expect_refusal({"--target", "mixtur"}, 2, "--target: unknown target 'mixtur'\nhint: did you mean 'mixture'?");
  expect_refusal({"--target", "mixture", "--explorer", "slise"}, 2,
                 "--explorer: unknown explorer 'slise'\nhint: did you mean 'slice'?", false);
  expect_refusal({"--target", "mixture", "--explorer", "slice:pases=2"}, 2,
                 "--explorer: explorer slice has no setting 'pases'\nhint: did you mean 'passes'?", false);
  expect_refusal({"--target", "mixture", "--set", "mode=3"}, 2,
                 "--set: target mixture has no setting 'mode'\nhint: did you mean 'modes'?");
  expect_refusal({"--target", "mixture", "--set", "modes=x"}, 2, "--set: modes: 'x' is not a whole number", false);
  expect_refusal({"--target", "gaussian", "--set", "dim=0"}, 2,
                 "--set: dim: 0 is out of range: from 1 to 10000000 expected", false);
}

TEST_F(SampleRefusal, RefusesNoTargetTwoOfThemAndOptionsOfTheOther) {
  const std::string form = "give --target NAME (`tempera help targets` lists them) or --tensor INPUT --rank R";
  expect_refusal({}, 2, "--target: nothing to sample\nhint: " + form);
  expect_refusal({"--target", "mixture", "--tensor", counts()}, 2,
                 "--target: a target and a tensor are given\nhint: " + form, false);
  expect_refusal({"--target", "mixture", "--rank", "3"}, 2, "--rank: is for --tensor\nhint: leave it out", false);
  expect_refusal({"--target", "mixture", "--ranks-per-replica", "2"}, 2,
                 "--ranks-per-replica: a built-in target is evaluated by one rank\n"
                 "hint: leave it out: replicas are spread over the ranks anyway");
  expect_refusal({"--tensor", counts(), "--set", "dim=3"}, 2, "--set: is for built-in targets\nhint: leave it out",
                 false);
  expect_refusal({"--tensor", counts(), "--data", "x.json"}, 2, "--data: is for built-in targets\nhint: leave it out",
                 false);
  expect_refusal({"--tensor", counts(), "--likelihood", "poisson", "--noise-sd", "1"}, 2,
                 "--noise-sd: is for --likelihood gaussian\nhint: leave it out", false);
  expect_refusal({"--tensor", counts(), "--prior-rate", "1"}, 2,
                 "--prior-rate: is for --likelihood poisson\nhint: leave it out", false);
}

TEST_F(SampleRefusal, RefusesNumbersOutOfRange) {
  const auto refused = [&](const Arguments& options, const std::string& message) {
    expect_refusal(with({"--target", "gaussian"}, options), 2, message + "\nhint: see 'tempera sample --help'", false);
  };
  refused({"--rounds", "0"}, "--rounds: 0 is out of range: from 1 to 40 expected");
  refused({"--until-rhat", "1"}, "--until-rhat: 1 is out of range: above 1 expected");
  refused({"--until-ess", "0"}, "--until-ess: 0 is out of range: above 0 expected");
  refused({"--replicas", "0"}, "--replicas: 0 is out of range: at least 1 expected");
  refused({"--copies", "0"}, "--copies: 0 is out of range: at least 1 expected");
  refused({"--thin", "0"}, "--thin: 0 is out of range: at least 1 expected");
  expect_refusal({"--target", "gaussian", "--reference", "two-leg", "--replicas", "3"}, 2,
                 "--replicas: 3 are too few for two legs\nhint: give at least 4, or auto", false);
}

TEST_F(SampleRefusal, RefusesGradientsThatATargetHasNot) {
  const std::string mend =
      " needs gradients, which the target ising has not\n"
      "hint: discrete and non-smooth densities are sampled by slice or rwm";
  expect_refusal({"--target", "ising", "--explorer", "nuts"}, 2, "--explorer: nuts" + mend);
  expect_refusal({"--target", "ising", "--algorithm", "nuts"}, 2, "--explorer: nuts" + mend, false);
  expect_refusal({"--target", "ising", "--explorer", "slice+hmc"}, 2, "--explorer: slice+hmc" + mend, false);
}

TEST_F(SampleRefusal, RefusesDataThatDoNotFitNamingFileAndField) {
  const std::string form = "\nhint: the data of eight-schools are J (optional), y [J], sigma [J]";
  const auto refused = [&](const std::string& data, const std::string& message, bool on_ranks = false) {
    file("x.json", data);
    expect_refusal({"--target", "eight-schools", "--data", "x.json"}, 3, "x.json" + message, on_ranks);
  };
  refused(R"({"y":[1,2]})", ": field 'sigma' is missing" + form, true);
  refused(R"({"J":8,"y":[1,2],"sigma":[1,2]})", ": field 'y': expected an array of 8 numbers, found 2" + form);
  refused(R"({"J":2.5,"y":[1,2],"sigma":[1,2]})", ": field 'J': expected a whole number, found 2.5" + form);
  refused(R"({"y":[1,2],"sigma":[0,2]})", ": field 'sigma': entry 1 of 2 is 0: above 0 expected" + form);
  refused(R"({"y":[1,2],"sigma":[1,2],"more":3})", ": unknown field 'more'" + form);
  refused("{\"y\":\n[1,}", ":2: is not valid JSON here" + form);
  expect_refusal({"--target", "eight-schools", "--data", "absent.json"}, 3,
                 "absent.json: no such file\nhint: check the path; it is relative to the working directory");
  expect_refusal({"--target", "eight-schools", "--data", "."}, 3,
                 ".: is a directory, not a file\nhint: name a JSON file inside it", false);
  const auto none = sample({"--target", "mixture", "--data", file("x.json", "{}")});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.err, HasSubstr("tempera: error: --data: target mixture has no data\nhint: targets with data are "));
}

TEST_F(SampleRefusal, RefusesTensorsThatDoNotFit) {
  expect_refusal({"--tensor", "absent.tns"}, 3,
                 "absent.tns: no such file\nhint: check the path; it is relative to the working directory");
  const auto bad = sample({"--tensor", file("bad.tns", "1 1 1 2\n1 x 1 2\n"), "--output", "refused"}, 2);
  EXPECT_EQ(bad.status, 3);
  EXPECT_THAT(bad.err, HasSubstr("tempera: error: bad.tns:2: "));
  EXPECT_FALSE(std::filesystem::exists(path("refused")));
  expect_refusal({"--tensor", file("minus.tns", "1 1 1 2\n1 2 1 -3\n"), "--likelihood", "poisson"}, 3,
                 "minus.tns: cell (1, 2, 1), counted from 1, holds -3: --likelihood poisson takes counts, whole "
                 "numbers from 0 up\nhint: --likelihood gaussian takes any values");
}

TEST_F(SampleRefusal, RefusesADensityWithoutAPointToBeginAt) {
  file("huge.json", R"({"y":[1e300,1e300],"sigma":[1e-300,1]})");
  expect_refusal({"--target", "eight-schools", "--data", "huge.json"}, 4,
                 "eight-schools: the density is zero at 100 points drawn from the prior\n"
                 "hint: do the data contradict the prior, or are numbers so large that the density vanishes?");
  expect_refusal({"--target", "rosenbrock", "--set", "scale=1e308"}, 4,
                 "rosenbrock: the density is NaN at 100 points drawn from the prior\n"
                 "hint: look for logarithms of negative numbers and for 0/0 in the model");
}

TEST_F(SampleRefusal, RefusesToGoOnWithOtherOptionsOrShorter) {
  start({"--target", "gaussian", "--rounds", "4", "--quiet"}, "run");
  const std::string before = text("run/draws.nc"), manifest = text("run/manifest.json");
  const auto refused = [&](const Arguments& options, const std::string& message) {
    const auto result = resume(0, "run", options);
    EXPECT_EQ(result.status, 2);
    EXPECT_EQ(result.err, "tempera: error: " + message + "\n");
  };
  const std::string mend = "\nhint: other options make another result: begin a new run for it";
  refused({"--seed", "3"}, "--seed: is 0 in this run and cannot become 3" + mend);
  refused({"--explorer", "rwm"}, "--explorer: is \"auto\" in this run and cannot become \"rwm\"" + mend);
  refused({"--thin", "2", "--rounds", "6"}, "--thin: is 1 in this run and cannot become 2" + mend);
  refused({"--rounds", "3"},
          "--rounds: is 4 in this run and cannot become 3\nhint: a run can be extended, not shortened");
  const auto nothing = resume(2, "run");
  EXPECT_EQ(nothing.status, 0);
  EXPECT_EQ(nothing.out, "run: the run has ended: --rounds was 4, a larger number extends it\n");
  EXPECT_EQ(text("run/draws.nc") == before, true);
  EXPECT_EQ(text("run/manifest.json"), manifest);
}

/// exp(−u²/2) as a target that lacks what a test takes from it.
class Plain : public Target {
 public:
  struct Lacks {
    bool sampling = false, normalisation = false, propriety = false;
    double value = 0;  ///< added to the log likelihood
  };
  explicit Plain(Lacks lacks) : Target({{"x"}}), lacks_(lacks) {}
  using Target::evaluate;
  LogDensity evaluate(std::span<const double> u, std::span<double>, std::span<double>) override {
    return {0, -0.5 * u[0] * u[0] + lacks_.value};
  }
  bool samples_reference() const override { return !lacks_.sampling; }
  bool normalised_reference() const override { return !lacks_.normalisation; }
  std::optional<std::string> improper_parameter() const override {
    return lacks_.propriety ? std::optional<std::string>("x") : std::nullopt;
  }
  void sample_reference(RandomStream& stream, std::span<double> u) override { u[0] = stream.normal(); }
  std::unique_ptr<Target> clone() const override { return std::make_unique<Plain>(*this); }

 private:
  Lacks lacks_;
};

drivers::SampleOptions options_with(const std::string& reference, std::optional<std::int64_t> replicas = {}) {
  drivers::SampleOptions options;
  options.target = "plain";
  options.reference = reference;
  options.replicas = replicas;
  return options;
}

std::string message_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(SampleRefusals, AnImproperPriorIsNoPlaceForALadderToBegin) {
  const Plain improper({.sampling = true, .normalisation = true, .propriety = true});
  for (const char* reference : {"prior", "two-leg"})
    EXPECT_EQ(message_of([&] { drivers::tempering_options(options_with(reference), improper); }),
              "tempera: error: --reference: the prior of x is improper: no ladder can begin there\n"
              "hint: use --reference gaussian");
  for (const char* reference : {"auto", "gaussian", "variational"})
    EXPECT_EQ(drivers::tempering_options(options_with(reference), improper).reference, TemperingReference::gaussian);
}

TEST(SampleRefusals, AnEvidenceIsToldOfAProperPriorFromANormalisedReference) {
  const auto told = [](const char* reference, const Plain& target) {
    return drivers::tells_evidence(drivers::tempering_options(options_with(reference), target), target);
  };
  EXPECT_TRUE(told("prior", Plain({})));
  EXPECT_TRUE(told("gaussian", Plain({})));
  EXPECT_FALSE(told("prior", Plain({.normalisation = true})));
  EXPECT_TRUE(told("gaussian", Plain({.normalisation = true})));
  EXPECT_FALSE(told("gaussian", Plain({.sampling = true, .normalisation = true, .propriety = true})));
}

TEST(SampleRefusals, OneReplicaNeedsSomewhereToBegin) {
  const Plain fixed({.sampling = true});
  EXPECT_EQ(message_of([&] { drivers::tempering_options(options_with("prior", 1), fixed); }),
            "tempera: error: --replicas: one replica needs a prior that can be sampled, or it has nowhere to begin\n"
            "hint: use --reference gaussian, or more replicas");
  EXPECT_EQ(drivers::tempering_options(options_with("auto", 1), fixed).reference, TemperingReference::gaussian);
  EXPECT_EQ(drivers::tempering_options(options_with("auto"), Plain({})).reference, TemperingReference::prior);
}

TEST(SampleRefusals, AnInfiniteDensityIsNone) {
  const auto message = [](double value) {
    return message_of([&] { drivers::check_density(Plain({.value = value}), options_with("auto"), 0); });
  };
  EXPECT_EQ(message(0), "no error");
  EXPECT_THAT(message(INFINITY), HasSubstr("plain: the log density is +inf"));
  EXPECT_THAT(message(-INFINITY), HasSubstr("plain: the density is zero at 100 points drawn from the prior"));
  EXPECT_THAT(message(NAN), HasSubstr("plain: the density is NaN at 100 points drawn from the prior"));
}

TEST(SampleRefusals, AnEvidenceThatMeansNothingIsNull) {
  drivers::SampleFacts facts;
  facts.what = "plain";
  TemperingRound round;
  round.schedule = {0, 1};
  round.rejections = {0.1};
  round.sizes = {2};
  round.reports.resize(2);
  round.step_sizes.resize(2);
  round.evidence.estimate = -3;
  round.evidence.standard_error = 0.1;
  facts.rounds = {round};
  facts.improper = "x";
  const auto summary = drivers::sample_summary(options_with("prior"), facts);
  EXPECT_TRUE(summary["log_evidence"].is_null());
  EXPECT_TRUE(summary["log_evidence_error"].is_null());
  EXPECT_THAT(drivers::sample_text(options_with("prior"), facts, "run"),
              HasSubstr("log evidence  none: the prior of x is improper\n"));
  facts.improper.reset();
  EXPECT_THAT(drivers::sample_text(options_with("prior"), facts, "run"),
              HasSubstr("log evidence  none: the prior is not normalised\n"));
  facts.absolute = true;
  EXPECT_EQ(drivers::sample_summary(options_with("prior"), facts)["log_evidence"], -3.0);
}

}  // namespace
}  // namespace tempera
