#include "drivers/master/links.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"

namespace tempera::drivers {

namespace {

/// What a place of the file refers to.
struct Link {
  std::size_t stage;
  std::string label;  // of the instance that is named
  bool reference;     // not `needs`
  std::string where;
};

[[noreturn]] void refuse(const OptionEntry& entry, const Error& error) {
  throw Error(error.category(), entry.where, entry.key + ": " + error.what_is_wrong(), error.hint());
}

class Builder {
 public:
  explicit Builder(Study study) {
    graph_.study = std::move(study);
    names_ = stage_names(graph_.study);
  }

  StudyGraph build() {
    const Study& study = graph_.study;
    graph_.instances = expand(study);
    graph_.of_stage.resize(study.stages.size());
    for (std::size_t i = 0; i < graph_.instances.size(); ++i) graph_.of_stage[graph_.instances[i].stage].push_back(i);
    for (std::size_t i = 0; i < study.stages.size(); ++i) check_select(study.stages[i], i);
    for (const Stage& stage : study.stages) links_.push_back(links_of_stage(stage));
    find_cycles();
    for (const Instance& instance : graph_.instances) graph_.waits_for.push_back(dependencies(instance));
    return std::move(graph_);
  }

 private:
  void check_select(const Stage& stage, std::size_t index) const {
    if (!stage.select) return;
    try {
      check_metric(graph_.study, index, stage.select->metric);
    } catch (const Error& error) {
      refuse({"select.metric", {}, stage.select->where}, error);
    }
  }

  Link link(const Reference& reference, const std::string& where) const {
    const Study& study = graph_.study;
    const std::size_t target = *study.find(reference.stage);
    if (study.is_template(target))
      throw Error(Category::usage, "",
                  fmt::format("'{}' does not run on its own: its runs are trials of '{}'", reference.stage,
                              study.stages[study.users_of(target).front()].name),
                  "refer to that stage, or to one that runs the best point again");
    const std::vector<std::size_t>& instances = graph_.of_stage[target];
    if (!reference.label.empty()) {
      std::vector<std::string> labels;
      for (const std::size_t i : instances) labels.push_back(graph_.instances[i].label);
      if (std::find(labels.begin(), labels.end(), reference.label) == labels.end()) {
        const auto nearest = nearest_name(reference.label, labels);
        throw Error(Category::usage, "", fmt::format("'{}' has no instance [{}]", reference.stage, reference.label),
                    nearest ? fmt::format("did you mean '{}[{}]'?", reference.stage, *nearest)
                            : "see 'tempera run STUDY.toml --dry-run' for their names");
      }
    } else if (instances.size() > 1 && !study.stages[target].select) {
      throw Error(
          Category::usage, "",
          fmt::format("'{}' has {} instances, and nothing says which is meant", reference.stage, instances.size()),
          fmt::format("add select.metric = \"…\" to stage '{}', or write {}.{}", reference.stage,
                      graph_.instances[instances.front()].name, reference.key));
    }
    static_cast<void>(result_kind(study, target, reference.key));
    return {target, reference.label, true, where};
  }

  /// A value of a sweep may hold references itself: what those name has to be known as well.
  void add_links(const Reference& reference, const std::string& where, std::vector<Link>& links) const {
    links.push_back(link(reference, where));
    if (!reference.key.starts_with("sweep.")) return;
    const Stage& stage = graph_.study.stages[links.back().stage];
    for (const Sweep& sweep : stage.sweeps)
      for (const auto& value : sweep.values)
        for (const std::string& text : texts_in(value))
          for (const TextPiece& piece :
               parse_study_text(text, text_rules(graph_.study, names_, stage, sweep.key)).pieces)
            if (piece.kind == TextPiece::Kind::reference) links.push_back(link(piece.reference, sweep.where));
  }

  std::vector<Link> links_of(const Stage& stage, const std::vector<OptionEntry>& options) const {
    std::vector<Link> links;
    for (const OptionEntry& option : options) {
      try {
        for (const std::string& text : texts_in(option.value))
          for (const TextPiece& piece :
               parse_study_text(text, text_rules(graph_.study, names_, stage, option.key)).pieces)
            if (piece.kind == TextPiece::Kind::reference) add_links(piece.reference, option.where, links);
      } catch (const Error& error) {
        refuse(option, error);
      }
    }
    for (const NeededStage& needed : stage.needs)
      links.push_back({*graph_.study.find(needed.stage), "", false, needed.where});
    if (stage.objective) {
      const Stage& trial = graph_.study.stages[*graph_.study.find(stage.objective->stage)];
      const std::vector<Link> more = links_of(trial, trial.options);
      links.insert(links.end(), more.begin(), more.end());
    }
    return links;
  }

  std::vector<Link> links_of_stage(const Stage& stage) const {
    std::vector<OptionEntry> all = stage.options;
    for (const Sweep& sweep : stage.sweeps)
      for (const auto& value : sweep.values) all.push_back({sweep.key, value, sweep.where});
    return links_of(stage, all);
  }

  void find_cycles() const {
    std::vector<int> seen(links_.size(), 0);  // 1: on the path, 2: done
    std::vector<std::size_t> path;
    const std::function<void(std::size_t)> visit = [&](std::size_t stage) {
      seen[stage] = 1;
      path.push_back(stage);
      for (const Link& link : links_[stage]) {
        if (seen[link.stage] == 0) visit(link.stage);
        if (seen[link.stage] != 1) continue;
        std::vector<std::string> names;
        for (auto at = std::find(path.begin(), path.end(), link.stage); at != path.end(); ++at)
          names.push_back(names_[*at]);
        names.push_back(names_[link.stage]);
        throw Error(Category::usage, link.where,
                    fmt::format("stages need each other in a cycle: {}", fmt::join(names, " -> ")),
                    "one of them has to come first");
      }
      path.pop_back();
      seen[stage] = 2;
    };
    for (std::size_t stage = 0; stage < links_.size(); ++stage)
      if (seen[stage] == 0) visit(stage);
  }

  std::vector<Dependency> dependencies(const Instance& instance) const {
    const Stage& stage = graph_.study.stages[instance.stage];
    std::vector<Dependency> result;
    for (const Link& link :
         stage.sweeps.empty() ? links_[instance.stage] : links_of(stage, options_of(graph_.study, instance))) {
      const std::vector<std::size_t>& instances = graph_.of_stage[link.stage];
      Dependency dependency{link.stage, std::nullopt, link.reference && link.label.empty() && instances.size() > 1};
      if (!link.label.empty())
        dependency.instance = *std::find_if(instances.begin(), instances.end(),
                                            [&](std::size_t i) { return graph_.instances[i].label == link.label; });
      if (std::find(result.begin(), result.end(), dependency) == result.end()) result.push_back(dependency);
    }
    return result;
  }

  StudyGraph graph_;
  std::vector<std::string> names_;
  std::vector<std::vector<Link>> links_;
};

}  // namespace

StudyGraph make_graph(Study study) {
  return Builder(std::move(study)).build();
}

std::size_t selected(const StudyGraph& graph, std::size_t stage, const Results& results) {
  const std::vector<std::size_t>& instances = graph.of_stage[stage];
  const std::optional<Selection>& select = graph.study.stages[stage].select;
  if (instances.size() == 1) return instances.front();
  std::optional<std::size_t> best;
  double least = 0;
  for (const std::size_t i : instances) {
    const InstanceResult* const result = results(i);
    if (result == nullptr) continue;
    try {
      const double metric = metric_of(graph.study.stages[stage], *result, select->metric);
      const double value = select->maximise ? -metric : metric;
      if (best && !(value < least)) continue;
      best = i;
      least = value;
    } catch (const Error& error) {
      throw Error(Category::input, select->where,
                  fmt::format("select.metric: {}: {}", graph.instances[i].name, error.what_is_wrong()), error.hint());
    }
  }
  if (!best)
    throw Error(Category::input, select->where,
                fmt::format("no instance of '{}' ended well", graph.study.stages[stage].name), "");
  return *best;
}

std::vector<std::string> stage_names(const Study& study) {
  std::vector<std::string> names;
  for (const Stage& stage : study.stages) names.push_back(stage.name);
  return names;
}

TextRules text_rules(const Study& study, const std::vector<std::string>& names, const Stage& stage,
                     const std::string& key) {
  return {names, study.folder, stage.engine == Engine::optimize && key == "command"};
}

std::vector<std::string> texts_in(const nlohmann::ordered_json& value) {
  std::vector<std::string> texts;
  if (value.is_string()) texts.push_back(value.get<std::string>());
  if (value.is_array())
    for (const auto& item : value)
      if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

}  // namespace tempera::drivers
