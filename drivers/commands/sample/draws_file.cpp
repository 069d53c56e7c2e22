#include "drivers/commands/sample/draws_file.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/io/inference_data.hpp"
#include "core/sampling/explorers/explorers.hpp"

namespace tempera::drivers {

namespace {

using Type = InferenceVariable::Type;

constexpr Index kBlockNumbers = Index{1} << 20;  // of records on their way

Index entries_of(const InferenceVariable& variable) {
  return std::accumulate(variable.shape.begin(), variable.shape.end(), Index{1}, std::multiplies<>());
}

/// No times: equal draws are equal files; when they were made stands in the manifest.
std::vector<InferenceAttribute> attributes(Index tuning_steps) {
  auto all = inference_attributes("", {}, tuning_steps);
  std::erase_if(all, [](const InferenceAttribute& one) { return one.name == "created_at"; });
  return all;
}

std::vector<InferenceVariable> parameters_of(const Target& target) {
  std::vector<InferenceVariable> variables;
  for (const ParameterBlock& block : target.parameters()) variables.push_back({block.name, block.shape, {}, {}});
  return variables;
}

/// A statistic of a record by the name that ArviZ knows.
struct Statistic {
  const char* name;
  DrawStatistic which;
  Type type;
  bool (*told)(const Explorer&);  ///< by explorers of this kind alone
};
bool always(const Explorer&) {
  return true;
}
bool with_energy(const Explorer& explorer) {
  return explorer.has_energy();
}
bool with_step_size(const Explorer& explorer) {
  return explorer.step_size_count() > 0;
}
constexpr Statistic kStatistics[] = {{"log_reference", DrawStatistic::log_reference, Type::float64, always},
                                     {"log_likelihood", DrawStatistic::log_likelihood, Type::float64, always},
                                     {"replica", DrawStatistic::replica, Type::int64, always},
                                     {"acceptance_rate", DrawStatistic::acceptance, Type::float64, always},
                                     {"n_steps", DrawStatistic::proposals, Type::int64, always},
                                     {"tree_depth", DrawStatistic::depth, Type::int64, with_energy},
                                     {"diverging", DrawStatistic::divergent, Type::boolean, with_energy},
                                     {"energy", DrawStatistic::energy, Type::float64, with_energy},
                                     {"step_size", DrawStatistic::step_size, Type::float64, with_step_size}};
constexpr int kOfEveryTemperature = 2;  ///< that many of them are kept of all

InferenceLayout layout_of(const SampleOptions& options, const Target& target, Index chains, Index draws,
                          const SampleFacts* facts) {
  const Index tuning = facts != nullptr ? facts->last().scans - 2 : 0;  // scans of the rounds before
  InferenceLayout layout;
  layout.attributes = attributes(tuning);
  layout.groups.push_back({"posterior", chains, draws, parameters_of(target), attributes(tuning)});
  const auto explorer = make_explorer(explorer_name(options, target));
  std::vector<InferenceVariable> statistics{{"lp", {}, Type::float64, {}}};
  for (const Statistic& one : kStatistics)
    if (one.told(*explorer)) statistics.push_back({one.name, {}, one.type, {}});
  layout.groups.push_back({"sample_stats", chains, draws, std::move(statistics), attributes(tuning)});
  if (facts == nullptr) return layout;
  const Index temperatures = std::ssize(facts->last().schedule);
  std::vector<InferenceVariable> ladder{{"beta", {temperatures}, Type::float64, {"temperature"}}};
  if (temperatures > 1) ladder.push_back({"rejection", {temperatures - 1}, Type::float64, {"pair"}});
  layout.groups.push_back({"tempering", 0, 0, std::move(ladder), {}});
  if (options.keep == "all") {
    auto all = parameters_of(target);
    for (const Statistic& one : std::span(kStatistics).first(kOfEveryTemperature))
      all.push_back({one.name, {}, one.type, {}});
    layout.groups.push_back({"tempering_draws", facts->tempering.ladders * temperatures, draws, std::move(all), {}});
  }
  return layout;
}

/// Block by block of draws, from all ranks to the writer on rank 0.
class Copy {
 public:
  Copy(InferenceDataWriter& writer, const InferenceLayout& layout, const Explorer& explorer, const DrawStore& draws,
       Index constrained_size)
      : writer_(writer), layout_(layout), explorer_(explorer), draws_(draws), constrained_size_(constrained_size) {}

  void block(std::vector<double>& records, Index first, Index count, const std::vector<Index>& streams) {
    for (std::size_t chain = 0; chain < streams.size(); ++chain) {
      const DrawRange range{static_cast<Index>(chain), 1, first, count};
      parameters("posterior", records, range, streams[chain]);
      for (const Statistic& one : kStatistics)
        if (one.told(explorer_)) statistic("sample_stats", one, records, range, streams[chain]);
      std::vector<double> density;
      for (Index t = 0; t < count; ++t) {
        const double* const record = records.data() + (t * draws_.streams() + streams[chain]) * draws_.width();
        density.push_back(record[constrained_size_] + record[constrained_size_ + 1]);
      }
      writer_.write("sample_stats", "lp", range, {density, count, 1});
    }
    if (layout_.groups.back().name != "tempering_draws") return;
    for (Index stream = 0; stream < draws_.streams(); ++stream) {
      const DrawRange range{stream, 1, first, count};
      parameters("tempering_draws", records, range, stream);
      for (const Statistic& one : std::span(kStatistics).first(kOfEveryTemperature))
        statistic("tempering_draws", one, records, range, stream);
    }
  }

 private:
  void write(const char* group, const std::string& name, const std::vector<double>& records, const DrawRange& range,
             Index stream, Index column) {
    const auto from = static_cast<std::size_t>(stream * draws_.width() + column);
    writer_.write(group, name, range,
                  {std::span(records).subspan(from), draws_.width(), draws_.streams() * draws_.width()});
  }

  void parameters(const char* group, const std::vector<double>& records, const DrawRange& range, Index stream) {
    Index column = 0;
    for (const InferenceVariable& variable : layout_.groups[0].variables) {
      write(group, variable.name, records, range, stream, column);
      column += entries_of(variable);
    }
  }

  void statistic(const char* group, const Statistic& one, const std::vector<double>& records, const DrawRange& range,
                 Index stream) {
    write(group, one.name, records, range, stream, constrained_size_ + static_cast<Index>(one.which));
  }

  InferenceDataWriter& writer_;
  const InferenceLayout& layout_;
  const Explorer& explorer_;
  const DrawStore& draws_;
  Index constrained_size_;
};

/// mean (E_t − E_{t−1})² / var E
double bfmi(std::span<const double> energies) {
  const auto n = static_cast<double>(energies.size());
  const double mean = std::accumulate(energies.begin(), energies.end(), 0.0) / n;
  double changes = 0, squares = 0;
  for (std::size_t t = 0; t < energies.size(); ++t) {
    squares += (energies[t] - mean) * (energies[t] - mean);
    if (t > 0) changes += (energies[t] - energies[t - 1]) * (energies[t] - energies[t - 1]);
  }
  return changes / squares;
}

}  // namespace

void check_draws_layout(const SampleOptions& options, const Target& target) {
  check_inference_layout(layout_of(options, target, 1, 1, nullptr));
}

void write_draws_file(const Communicator& ranks, const std::filesystem::path& path, const SampleOptions& options,
                      const Target& target, const SampleFacts& facts, const DrawStore& draws) {
  const std::vector<Index> streams = target_streams(facts.tempering, facts.last().sizes);
  const InferenceLayout layout = layout_of(options, target, std::ssize(streams), draws.draws(), &facts);
  const auto explorer = make_explorer(facts.explorer);
  std::optional<InferenceDataWriter> writer;
  if (ranks.is_root()) writer.emplace(path, layout);
  const Index block = std::max<Index>(1, kBlockNumbers / (draws.streams() * draws.width()));
  for (Index first = 0; first < draws.draws(); first += block) {
    const Index count = std::min(block, draws.draws() - first);
    std::vector<double> records = draws.records(ranks, first, count);
    if (writer)
      Copy(*writer, layout, *explorer, draws, target.constrained_size()).block(records, first, count, streams);
  }
  if (!writer) return;
  writer->write("tempering", "beta", facts.last().schedule);
  if (!facts.last().rejections.empty()) writer->write("tempering", "rejection", facts.last().rejections);
  writer->commit();
}

std::optional<EnergyFacts> energy_facts(const Communicator& ranks, const Explorer& explorer,
                                        const TemperingOptions& tempering, const TemperingRound& last,
                                        const DrawStore& draws) {
  if (!explorer.has_energy()) return std::nullopt;
  const Index column = draws.width() - kDrawStatistics + static_cast<Index>(DrawStatistic::energy);
  const bool mine = ranks.is_root();
  const std::vector<double> energies = draws.columns(ranks, mine ? column : 0, mine ? 1 : 0);
  EnergyFacts facts;
  facts.bfmi = INFINITY;
  if (mine)
    for (const Index stream : target_streams(tempering, last.sizes))
      facts.bfmi =
          std::min(facts.bfmi, bfmi(std::span(energies).subspan(static_cast<std::size_t>(stream * draws.draws()),
                                                                static_cast<std::size_t>(draws.draws()))));
  facts.bfmi = ranks.broadcast_value(facts.bfmi, 0);
  Index steps = 0, saturated = 0;
  Index chain = 0;
  for (const Index size : last.sizes) {
    const Index at = chain == 0 ? size - 1 : chain;  // the target's end of the leg
    const ChainReport& report = last.reports[static_cast<std::size_t>(at)];
    facts.divergences += report.divergences;
    saturated += report.saturations;
    steps += report.count;
    chain += size;
  }
  facts.saturated = steps > 0 ? static_cast<double>(saturated) / static_cast<double>(steps) : 0;
  return facts;
}

}  // namespace tempera::drivers
