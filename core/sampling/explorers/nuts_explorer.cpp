#include "core/sampling/explorers/nuts_explorer.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/option_schema.hpp"
#include "core/sampling/explorers/detail/step_size.hpp"

namespace tempera {

namespace {

double log_sum(double a, double b) {
  const double larger = std::max(a, b);
  return std::isinf(larger) ? larger : larger + std::log1p(std::exp(std::min(a, b) - larger));
}

}  // namespace

void NutsOptions::declare(OptionSchema& schema) {
  schema.integer("max-depth", max_depth).minimum(1).maximum(20).help("doublings after which a path ends");
  schema.real("target", target).above(0).below(1).help("mean acceptance probability");
  schema.flag("dense", dense).help("the metric knows correlations");
}

void NutsExplorer::Stretch::resize(std::size_t dimension) {
  for (auto* entries : {&momentum_sum, &first_momentum, &last_momentum, &proposal}) entries->resize(dimension);
}

/// Grows stretches of states from one end of a path.
class NutsExplorer::Path {
 public:
  Path(PathDensity& density, const Metric& metric, double energy, RandomStream& stream, std::vector<Stretch>& halves)
      : density_(density), metric_(metric), energy_(energy), stream_(stream), halves_(halves) {}

  /// 2^depth states from `end` on; false if they diverge or turn back, and then not all of them.
  bool grow(int depth, double step, PhasePoint& end, Stretch& stretch) {
    if (depth == 0) return state(step, end, stretch);
    Stretch& half = halves_[static_cast<std::size_t>(depth - 1)];
    if (!grow(depth - 1, step, end, stretch) || !grow(depth - 1, step, end, half)) return false;
    choose(stretch, half, false);
    return join(stretch, half, depth > 1);
  }

  /// Takes the proposal of the later stretch with the probability of its share of the weight; if biased, with that of its
  /// weight over the one of the earlier.
  void choose(Stretch& earlier, Stretch& later, bool biased) {
    const double sum = log_sum(earlier.log_weight, later.log_weight);
    const double probability = metropolis(later.log_weight - (biased ? earlier.log_weight : sum));
    if (stream_.uniform() < probability) {
      earlier.proposal.swap(later.proposal);
      earlier.density = later.density;
    }
    earlier.log_weight = sum;
  }

  /// Appends `later`, whose last momentum is lost; false if the whole turns back, or one of the stretches together with the
  /// nearest state of the other. That follows from the rest where both are single states.
  static bool join(Stretch& earlier, Stretch& later, bool across) {
    const std::size_t n = earlier.momentum_sum.size();
    double* const sum = earlier.momentum_sum.data();
    const double* const more = later.momentum_sum.data();
    const double* const a = earlier.first_momentum.data();
    const double* const b = earlier.last_momentum.data();
    const double* const c = later.first_momentum.data();
    const double* const d = later.last_momentum.data();
    double a_whole = 0, d_whole = 0, a_earlier = 0, c_earlier = 0, b_later = 0, d_later = 0;
    if (across) {
#pragma omp simd reduction(+ : a_whole, d_whole, a_earlier, c_earlier, b_later, d_later)
      for (std::size_t i = 0; i < n; ++i) {
        const double with_next = sum[i] + c[i], with_last = more[i] + b[i], whole = sum[i] + more[i];
        a_whole += a[i] * whole;
        d_whole += d[i] * whole;
        a_earlier += a[i] * with_next;
        c_earlier += c[i] * with_next;
        b_later += b[i] * with_last;
        d_later += d[i] * with_last;
        sum[i] = whole;
      }
    } else {
#pragma omp simd reduction(+ : a_whole, d_whole)
      for (std::size_t i = 0; i < n; ++i) {
        const double whole = sum[i] + more[i];
        a_whole += a[i] * whole;
        d_whole += d[i] * whole;
        sum[i] = whole;
      }
      a_earlier = c_earlier = b_later = d_later = 1;
    }
    earlier.last_momentum.swap(later.last_momentum);
    return a_whole > 0 && d_whole > 0 && a_earlier > 0 && c_earlier > 0 && b_later > 0 && d_later > 0;
  }

  Index states() const {
    return states_;
  }
  /// Sum over the states.
  double acceptance() const {
    return acceptance_;
  }
  bool divergent() const {
    return divergent_;
  }

 private:
  bool state(double step, PhasePoint& end, Stretch& stretch) {
    leapfrog(density_, metric_, step, end);
    ++states_;
    const double error = end.energy() - energy_;
    acceptance_ += metropolis(-error);
    divergent_ = !(error <= kDivergence);
    if (divergent_) return false;
    const auto copy = [](const std::vector<double>& from, std::vector<double>& to) {
      std::copy(from.begin(), from.end(), to.begin());
    };
    copy(end.momentum, stretch.momentum_sum);
    copy(end.momentum, stretch.first_momentum);
    copy(end.momentum, stretch.last_momentum);
    copy(end.u, stretch.proposal);
    stretch.density = end.density;
    stretch.log_weight = -error;
    return true;
  }

  PathDensity& density_;
  const Metric& metric_;
  double energy_;
  RandomStream& stream_;
  std::vector<Stretch>& halves_;
  Index states_ = 0;
  double acceptance_ = 0;
  bool divergent_ = false;
};

StepRecord NutsExplorer::step(PathDensity& density, const ChainTuning& tuning, SamplePoint& point,
                              RandomStream& stream) {
  const Metric metric = metric_of(tuning);
  const double step = step_size(tuning);
  StepRecord record;
  if (!enter(density, metric, point, front_)) return stuck(record);
  draw_momentum(stream, front_);
  back_ = front_;
  halves_.resize(static_cast<std::size_t>(options_.max_depth));
  for (Stretch& half : halves_) half.resize(point.u.size());
  more_.resize(point.u.size());
  whole_.momentum_sum = whole_.first_momentum = whole_.last_momentum = front_.momentum;
  whole_.proposal = point.u;
  whole_.density = point.density;
  whole_.log_weight = 0;

  record.energy = front_.energy();
  Path path(density, metric, record.energy, stream, halves_);
  bool goes_on = true, ahead = true;
  while (goes_on && record.depth < options_.max_depth) {
    const bool forwards = stream.uniform() < 0.5;
    if (forwards != ahead) whole_.first_momentum.swap(whole_.last_momentum);
    ahead = forwards;
    goes_on = path.grow(record.depth, forwards ? step : -step, forwards ? front_ : back_, more_);
    if (!goes_on) break;
    ++record.depth;
    path.choose(whole_, more_, true);
    goes_on = Path::join(whole_, more_, record.depth > 1);
  }
  std::copy(whole_.proposal.begin(), whole_.proposal.end(), point.u.begin());
  point.density = whole_.density;
  record.proposals = path.states();
  record.acceptance = path.acceptance() / static_cast<double>(path.states());
  record.divergent = path.divergent();
  record.saturated = goes_on;
  note(record, record.acceptance);
  return record;
}

}  // namespace tempera
