// Effective draws of single chains at posteriordb's posteriors: minimum bulk ESS over the reference parameters, per 1000
// evaluations, per 1000 gradients and per second on one core. The engine adapts between rounds; the last round alone
// counts, the cost of those before is told beside it. Every mean and standard deviation is held against its reference.
//
//   sampler_bench targets=arK-arK,garch-garch11 explorers=slice/rwm/nuts:dense rounds=12 seeds=1,2,3
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/text.hpp"
#include "core/sampling/diagnostics.hpp"
#include "core/sampling/explorers/explorers.hpp"
#include "core/sampling/model.hpp"
#include "distributed/communicator/environment.hpp"
#include "distributed/tempering/tempering.hpp"
#include "tests/bench/bench.hpp"
#include "tests/models/models.hpp"
#include "tests/models/reference.hpp"
#include "tests/support/data.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr double kErrors = 6;        // of a mean or standard deviation that would be wrong
constexpr double kLeastDraws = 100;  // effective ones, to tell that

/// One run of the engine, one chain a ladder.
struct Sampled {
  double ess = 0;          ///< smallest of all parameters
  double seconds = 0;      ///< of the last round
  double all_seconds = 0;  ///< of all rounds
  Index evaluations = 0;   ///< with or without gradient, in the last round
  Index gradients = 0;
  Index all_evaluations = 0;
  double largest_z = 0;  ///< distance from the reference in standard errors
};

/// The draws of each ladder in their order, as reference parameters.
std::vector<std::vector<double>> chains_of(const std::string& name, const Communicator& self, const DrawStore& draws,
                                           std::size_t parameters) {
  const auto width = static_cast<std::size_t>(draws.width()), streams = static_cast<std::size_t>(draws.streams());
  const std::vector<double> records = draws.records(self, 0, draws.draws());
  std::vector<std::vector<double>> chains(streams);
  for (std::size_t k = 0; k < records.size() / width; ++k) {
    std::vector<double>& chain = chains[k % streams];
    chain.resize(chain.size() + parameters);
    test::to_reference_parameters(name, std::span(records).subspan(k * width, width - kDrawStatistics),
                                  std::span(chain).last(parameters));
  }
  return chains;
}

double smallest_bulk_ess(const std::vector<std::vector<double>>& chains, std::size_t parameters) {
  double smallest = INFINITY;
  for (std::size_t p = 0; p < parameters; ++p) {
    std::vector<std::vector<double>> columns(chains.size());
    for (std::size_t c = 0; c < chains.size(); ++c)
      for (std::size_t at = p; at < chains[c].size(); at += parameters) columns[c].push_back(chains[c][at]);
    const std::vector<std::span<const double>> spans(columns.begin(), columns.end());
    const double ess = ess_bulk(spans);
    smallest = std::isnan(ess) ? 0 : std::min(smallest, ess);
  }
  return smallest;
}

Sampled sample(const Communicator& self, const std::string& name, const std::filesystem::path& folder,
               const Explorer& explorer, const TemperingOptions& options) {
  Sampled run;
  double begin = seconds_now();
  const double start = begin;
  TemperingObserver observer;
  observer.round = [&](const TemperingRound& round, const DrawStore&) {
    const double now = seconds_now();
    run.seconds = now - begin;
    run.evaluations = round.evaluations;
    run.gradients = round.gradients;
    run.all_evaluations += round.evaluations;
    begin = now;
  };
  const TransformedTarget target(test::make_posteriordb_model(name, folder));
  const TemperingResult result = sample_by_tempering(self, target, explorer, options, observer);
  run.all_seconds = begin - start;
  const auto reference = test::read_reference(name, folder);
  const auto chains = chains_of(name, self, *result.draws, reference.size());
  run.ess = smallest_bulk_ess(chains, reference.size());
  run.largest_z = test::largest_z(test::compare_with_reference(chains, reference));
  return run;
}

void bench_sampler(const Communicator& self, const std::string& name, const std::filesystem::path& folder,
                   const std::string& text, const Settings& settings, Report& report) {
  const auto explorer = make_explorer(text);
  TemperingOptions options;
  options.chains = 1;
  options.ladders = settings.integer("ladders");
  options.rounds = static_cast<int>(settings.integer("rounds"));
  std::vector<double> seconds, per_evaluation, per_gradient, per_second, evaluation, share;
  bool correct = true;
  double z = 0;
  for (const Index seed : settings.integers("seeds")) {
    options.seed = static_cast<std::uint64_t>(seed);
    const Sampled run = sample(self, name, folder, *explorer, options);
    seconds.push_back(run.seconds);
    per_evaluation.push_back(1000 * run.ess / static_cast<double>(run.evaluations));
    per_gradient.push_back(run.gradients > 0 ? 1000 * run.ess / static_cast<double>(run.gradients) : 0);
    per_second.push_back(run.ess / run.seconds);
    evaluation.push_back(run.seconds / static_cast<double>(run.evaluations) * 1e9);
    share.push_back(1 - static_cast<double>(run.evaluations) / static_cast<double>(run.all_evaluations));
    z = std::max(z, run.largest_z);
    correct = correct && !(run.ess > kLeastDraws && run.largest_z > kErrors);
  }
  report.add(name, text, timing_of(seconds), Work{}, correct,
             {{"ess_per_1000_evaluations", median(per_evaluation)},
              {"ess_per_1000_gradients", median(per_gradient)},
              {"ess_per_second", median(per_second)},
              {"nanoseconds_per_evaluation", median(evaluation)},
              {"share_of_evaluations_in_earlier_rounds", median(share)},
              {"largest_z", z}});
  report.note(fmt::format(
      "{:39} {:24} ESS {:7.2f} per 1000 evaluations, {:7.2f} per 1000 gradients, {:9.0f} a second; {:6.0f} ns an "
      "evaluation, {:.0f} % of them in earlier rounds",
      name, text, median(per_evaluation), median(per_gradient), median(per_second), median(evaluation),
      100 * median(share)));
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv,
                          {{"targets",
                            "eight_schools-eight_schools_noncentered,kidiq-kidscore_interaction,arK-arK,"
                            "low_dim_gauss_mix-low_dim_gauss_mix,garch-garch11"},
                           {"explorers", "slice/slice:random-directions/rwm/nuts/nuts:dense"},
                           {"rounds", "11"},
                           {"ladders", "4"},
                           {"seeds", "1,2,3"}});
  const MpiEnvironment environment(argc, argv);
  const Communicator self(MPI_COMM_SELF);
  Report report("sampler", settings);
  const std::filesystem::path folder = test::data_file("posteriordb");
  if (!folder.empty())
    for (const std::string& name : settings.texts("targets"))
      for (const std::string_view text : split(settings.text("explorers"), '/'))
        bench_sampler(self, name, folder, std::string(text), settings, report);
  return report.finish();
}
