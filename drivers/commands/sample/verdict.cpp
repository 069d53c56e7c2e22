#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/sampling/schedule.hpp"
#include "drivers/commands/sample/sample_report.hpp"

namespace tempera::drivers {

namespace {

constexpr double kMostRhat = 1.01;  // Vehtari et al. 2021
constexpr double kLeastEss = 400;   // the same: below, R-hat and errors are themselves uncertain
constexpr double kMostRejection = 0.9;
constexpr double kLeastTripShare = 0.3;
constexpr Index kFewTrips = 10;
constexpr double kLeastBfmi = 0.3;  // Betancourt 2016
constexpr double kMostInvalid = 0.01;
constexpr double kMostSaturated = 0.05;

/// Draws become better with the square root of their number, effective sizes grow with it.
std::string more_rounds(const SampleFacts& facts, double factor) {
  const int more = std::max(1, static_cast<int>(std::ceil(std::log2(std::min(factor, 1e6)))));
  return fmt::format("tempera resume RUN --rounds {}", facts.last().round + more);
}

class Judge {
 public:
  explicit Judge(const SampleFacts& facts) : facts_(facts), last_(facts.last()) {}

  Verdict verdict() {
    look_at_draws();
    if (last_.schedule.size() > 1) look_at_ladder();
    look_at_explorer();
    return std::move(verdict_);
  }

 private:
  void say(std::string reason, std::string advice) {
    verdict_.good = false;
    verdict_.reasons.push_back(std::move(reason));
    verdict_.advice.push_back(std::move(advice));
  }

  void look_at_draws() {
    const WorstParameters worst = worst_of(facts_.summaries);
    if (!worst.known) {
      say("there are too few draws to tell anything", more_rounds(facts_, 64));
      return;
    }
    if (worst.rhat > kMostRhat)
      say(fmt::format("R-hat of {} is {:.3f}: parts of the draws disagree (above {})", facts_.names[worst.rhat_at],
                      worst.rhat, kMostRhat),
          worst.rhat > 1.1 ? "more rounds, more --replicas, or an --explorer that moves further"
                           : more_rounds(facts_, 2));
    const auto size = [&](double ess, std::size_t at, const char* kind) {
      if (ess < kLeastEss)
        say(fmt::format("the {} effective sample size of {} is {:.0f} (below {:.0f})", kind, facts_.names[at], ess,
                        kLeastEss),
            more_rounds(facts_, kLeastEss / ess));
    };
    size(worst.ess_bulk, worst.bulk_at, "bulk");
    if (worst.ess_bulk >= kLeastEss) size(worst.ess_tail, worst.tail_at, "tail");
  }

  void look_at_ladder() {
    const auto highest = std::max_element(last_.rejections.begin(), last_.rejections.end());
    if (*highest > kMostRejection)
      say(fmt::format("chains {} and {} swap in {:.1f} % of the scans only", highest - last_.rejections.begin(),
                      highest - last_.rejections.begin() + 1, 100 * (1 - *highest)),
          fmt::format("--replicas {} (a new run)", suggested_chains(std::max(last_.barrier, last_.rejection_sum))));
    const auto trips = static_cast<double>(last_.round_trips);
    if (last_.restarts == 0)
      say("no state came from the reference to the target: modes may be missing, and the evidence be wrong",
          more_rounds(facts_, 4));
    else if (last_.round_trips < kFewTrips)
      say(fmt::format("{} between reference and target {} few to find all modes by",
                      last_.round_trips == 1 ? "1 round trip" : fmt::format("{} round trips", last_.round_trips),
                      last_.round_trips == 1 ? "is" : "are"),
          more_rounds(facts_, static_cast<double>(2 * kFewTrips) / std::max(0.5, trips)));
    else if (trips < kLeastTripShare * last_.ideal_round_trips)
      say(fmt::format("states travel slowly: {} round trips of {:.0f} that a perfect explorer would give",
                      last_.round_trips, last_.ideal_round_trips),
          "an --explorer that moves further between swaps: slice:passes=5, or nuts where there are gradients");
    if (last_.evidence.disagree)
      say("estimates of the evidence from both directions disagree by more than four standard errors",
          "more --replicas or rounds: neighbouring chains have seen different modes");
  }

  void look_at_explorer() {
    if (static_cast<double>(last_.invalid) > kMostInvalid * static_cast<double>(last_.evaluations))
      say(fmt::format("the density was NaN in {} of {} evaluations, which count as zero", last_.invalid,
                      last_.evaluations),
          "look for logarithms of negative numbers and 0/0 in the model");
    if (!facts_.energy) return;
    if (facts_.energy->divergences > 0)
      say(fmt::format("{} steps at the target diverged: they did not reach where the density is curved most",
                      facts_.energy->divergences),
          "a higher target acceptance (--explorer nuts:target=0.95), another parametrisation, or slice");
    if (facts_.energy->saturated > kMostSaturated)
      say(fmt::format("{:.0f} % of the trees reached the largest depth", 100 * facts_.energy->saturated),
          "--explorer nuts:dense, or nuts:max-depth=12");
    if (facts_.energy->bfmi < kLeastBfmi)
      say(fmt::format("E-BFMI is {:.2f} (below {}): the energy changes too slowly for heavy tails", facts_.energy->bfmi,
                      kLeastBfmi),
          "another parametrisation, or slice");
  }

  const SampleFacts& facts_;
  const TemperingRound& last_;
  Verdict verdict_;
};

}  // namespace

WorstParameters worst_of(const std::vector<ParameterSummary>& summaries) {
  WorstParameters worst;
  for (std::size_t k = 0; k < summaries.size(); ++k) {
    const ParameterSummary& one = summaries[k];
    if (std::isnan(one.ess_bulk) || std::isnan(one.rhat)) continue;  // constant, or two-valued and balanced
    if (!worst.known || one.rhat > worst.rhat) worst.rhat = one.rhat, worst.rhat_at = k;
    if (!worst.known || one.ess_bulk < worst.ess_bulk) worst.ess_bulk = one.ess_bulk, worst.bulk_at = k;
    if (!worst.known || one.ess_tail < worst.ess_tail) worst.ess_tail = one.ess_tail, worst.tail_at = k;
    worst.known = true;
  }
  return worst;
}

Verdict judge(const SampleFacts& facts) {
  return Judge(facts).verdict();
}

}  // namespace tempera::drivers
