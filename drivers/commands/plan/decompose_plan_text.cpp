#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/text.hpp"
#include "core/tensor/sparse_tensor.hpp"
#include "drivers/commands/plan/decompose_report.hpp"

namespace tempera::drivers {

namespace {

std::string bytes_text(std::int64_t bytes) {
  return human_bytes(static_cast<double>(bytes));
}

std::string model_text(const DecomposeOptions& options) {
  return fmt::format("rank {}, {} loss, {}", options.rank, options.loss,
                     options.loss == "poisson"     ? "nonnegative"
                     : options.constraints.empty() ? "unconstrained"
                                                   : fmt::format("{}", fmt::join(options.constraints, " ")));
}

/// The lines of the summary, each with its title.
class Lines {
 public:
  void add(const char* title, const std::string& content) { text_ += fmt::format("  {:10}{}\n", title, content); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void add_tensor(Lines& lines, const DecomposePlanTask& task, const PlannedTensor& tensor) {
  const char* const cell = tensor.dense() ? "cell" : tensor.only_observed() ? "stored cell" : "nonzero";
  lines.add("tensor", fmt::format("{}, {} ({:.3g} % of the cells)", fmt::join(tensor.shape(), " x "),
                                  plural(static_cast<std::int64_t>(tensor.stored_cells()), cell),
                                  100 * tensor.stored_cells() / cell_count(tensor.shape())));
  lines.add("model", model_text(task.options));
}

void add_ranks(Lines& lines, const DecomposePlanTask& task, const PlannedTensor& tensor,
               const DecomposeEstimates& estimates, const DecomposeEstimate& estimate) {
  const PlannedLayout& layout = estimate.layout;
  const Placement& placement = estimate.placement;
  lines.add("machine", task.machine);
  lines.add("nodes", fmt::format("{} with {} each, {} a rank", plural(placement.nodes, "node"),
                                 plural(std::min(layout.ranks, placement.ranks_per_node), "rank"),
                                 plural(estimates.threads(), "thread")));
  lines.add("grid",
            fmt::format(
                "{}, heaviest rank {:.2f} x the mean ({})", fmt::join(layout.grid, "x"), layout.balance(),
                plural(layout.cells[static_cast<std::size_t>(layout.fullest())], tensor.dense() ? "cell" : "nonzero")));
}

void add_memory(Lines& lines, const DecomposeEstimates& estimates, const DecomposeEstimate& estimate) {
  const RankMemory& memory = estimate.memory;
  lines.add("memory",
            fmt::format("{} on the fullest rank, {} in all; {} of the {} of a node", human_bytes(memory.total()),
                        human_bytes(estimate.memory_all), human_bytes(node_memory(estimate)),
                        human_bytes(estimates.machine().memory_per_node)));
  lines.add("", fmt::format("cells {}, rows {}, fit {}, process {}; up to {} while reading", human_bytes(memory.cells),
                            human_bytes(memory.rows), human_bytes(memory.fit), human_bytes(memory.process),
                            human_bytes(memory.loading)));
}

void add_time(Lines& lines, const DecomposePlanFacts& facts) {
  const SweepTime& time = facts.estimate.time;
  lines.add("a sweep",
            fmt::format("{}: {} computing, {} communicating ({:.0f} %)", human_duration(time.total()),
                        human_duration(time.compute), human_duration(time.communication), 100 * time.share()));
  if (facts.estimate.layout.ranks == 1) return;
  if (!facts.bound)
    lines.add("bound", "none is known for what a sparse tensor has to communicate");
  else if (*facts.bound <= 0)
    lines.add("bound", "no positive bound on the words of an MTTKRP for so few ranks (Ballard, Knight & Rouse 2018)");
  else
    lines.add("bound", fmt::format("{} words for an MTTKRP are {:.2f} x the least (Ballard, Knight & Rouse 2018)",
                                   human_count(static_cast<std::int64_t>(facts.moved)), facts.moved / *facts.bound));
}

std::string traffic_text(const DecomposeEstimate& estimate) {
  std::vector<std::vector<std::string>> table{{"sent in a sweep", "messages", "bytes", "heaviest rank", "bytes"}};
  const auto row = [&](const std::string& name, const SentInSweep& sent) {
    table.push_back({name, human_count(sent.total.messages), bytes_text(sent.total.bytes),
                     human_count(sent.heaviest.messages), bytes_text(sent.heaviest.bytes)});
  };
  for (std::size_t mode = 0; mode < estimate.modes.size(); ++mode)
    row(fmt::format("rows of mode {}", mode), estimate.modes[mode]);
  for (const auto& [region, sent] : estimate.regions)
    if (!region.ends_with(" rows")) row(region == "sweep" ? "agreements" : region.substr(6), sent);
  row("all", estimate.sent);
  return "\n" + text_table(table, TableColumns::right) +
         "  What reading, the start and checkpoints send once is not counted.\n";
}

std::string comparison_text(const DecomposePlanFacts& facts) {
  if (facts.compared.empty()) return "";
  std::vector<std::vector<std::string>> table{{"partition", "words a sweep", "of ours", "balance"}};
  const double ours = facts.compared[1].words;
  const char* const what[] = {"fine: nonzeros one by one (greedy)", "medium: parts in a grid (what decompose does)",
                              "coarse: rows of each mode by themselves"};
  for (std::size_t k = 0; k < facts.compared.size(); ++k) {
    const PartitionWords& one = facts.compared[k];
    table.push_back({what[k], human_count(static_cast<std::int64_t>(one.words)),
                     ours > 0 ? fmt::format("{:.2f} x", one.words / ours) : "", fmt::format("{:.2f}", one.balance)});
  }
  return "\n" + text_table(table, TableColumns::right);
}

}  // namespace

std::string decompose_plan_text(const DecomposePlanTask& task, const PlannedTensor& tensor,
                                const DecomposeEstimates& estimates, const DecomposePlanFacts& facts) {
  const DecomposeEstimate& estimate = facts.estimate;
  Lines lines;
  add_tensor(lines, task, tensor);
  add_ranks(lines, task, tensor, estimates, estimate);
  add_memory(lines, estimates, estimate);
  add_time(lines, facts);
  lines.add("advice", facts.best_ranks == task.ranks
                          ? fmt::format("at {} the ranks are used to at least half", plural(task.ranks, "rank"))
                          : fmt::format("{} at most: beyond, less than half of every rank is used",
                                        plural(facts.best_ranks, "rank")));
  std::string text =
      fmt::format("Plan of a CP decomposition of {} on {}\n", task.options.input, plural(estimate.asked, "MPI rank")) +
      lines.text() + traffic_text(estimate) + comparison_text(facts);
  if (task.ranks > 1)
    text += scaling_text("Strong scaling: this tensor", facts.strong) +
            scaling_text("Weak scaling: as many cells a rank, all modes growing alike (estimated)", facts.weak);
  return text;
}

}  // namespace tempera::drivers
