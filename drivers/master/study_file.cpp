#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/text.hpp"
#include "core/base/toml_document.hpp"
#include "drivers/master/engine_options.hpp"
#include "drivers/master/study.hpp"
#include "drivers/master/study_space.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;
using Texts = std::vector<std::string>;

constexpr int kMostRepeats = 100'000;
constexpr const char* kHelp = "see 'tempera help studies'";

[[noreturn]] void refuse(const std::string& where, const std::string& what, const std::string& hint) {
  throw Error(Category::usage, where, what, hint);
}

std::string nearest_or(const std::string& given, const Texts& known, const std::string& otherwise) {
  const auto nearest = nearest_name(given, known);
  return nearest ? fmt::format("did you mean '{}'?", *nearest) : otherwise;
}

void allow(const TomlTable& table, const Texts& keys, const std::string& of) {
  for (const TomlEntry& entry : table.entries)
    if (std::find(keys.begin(), keys.end(), entry.key) == keys.end())
      refuse(entry.where, fmt::format("unknown key '{}'", entry.key),
             nearest_or(entry.key, keys, fmt::format("keys of {} are {}", of, fmt::join(keys, ", "))));
}

[[noreturn]] void wrong_kind(const TomlEntry& entry, const std::string& expected) {
  refuse(entry.where, fmt::format("{}: {} expected, not {}", entry.key, expected, toml_kind(entry.value)), kHelp);
}

std::string text_of(const TomlEntry& entry) {
  if (!entry.value.is_string()) wrong_kind(entry, "text");
  return entry.value.get<std::string>();
}

std::string word_of(const TomlEntry& entry, const Texts& words) {
  const std::string word = text_of(entry);
  if (std::find(words.begin(), words.end(), word) == words.end())
    refuse(entry.where, fmt::format("{}: '{}' is not one of {}", entry.key, word, fmt::join(words, ", ")),
           nearest_or(word, words, kHelp));
  return word;
}

bool is_maximum(const TomlTable& table) {
  const TomlEntry* const direction = table.find("direction");
  return direction != nullptr && word_of(*direction, {"minimize", "maximize"}) == "maximize";
}

std::int64_t whole_number(const TomlEntry& entry, std::int64_t least, std::int64_t most) {
  if (!entry.value.is_number_integer()) wrong_kind(entry, "a whole number");
  const auto number = entry.value.get<std::int64_t>();
  if (number < least || number > most)
    refuse(entry.where, fmt::format("{}: {} is out of range: from {} to {} expected", entry.key, number, least, most),
           kHelp);
  return number;
}

const TomlTable& table_of(const TomlEntry& entry, const std::string& example) {
  if (!entry.is_table())
    refuse(entry.where, fmt::format("{}: a table expected, not {}", entry.key, toml_kind(entry.value)), example);
  return entry.tables.front();
}

const TomlEntry& need(const TomlTable& table, const std::string& where, const std::string& key,
                      const std::string& hint) {
  const TomlEntry* const entry = table.find(key);
  if (entry == nullptr) refuse(where, fmt::format("'{}' is missing", key), hint);
  return *entry;
}

RanksWanted ranks_of(const TomlEntry& entry) {
  constexpr const char* kHint = "give a number of ranks (4), a share of the workers (\"50%\" or 0.5), or \"all\"";
  RanksWanted ranks{RanksWanted::Kind::all, 1, 1, entry.where};
  if (entry.value.is_number_integer()) {
    ranks.kind = RanksWanted::Kind::count;
    ranks.count = entry.value.get<std::int64_t>();
    if (ranks.count >= 1) return ranks;
    refuse(entry.where, fmt::format("ranks: {} is out of range: at least 1 expected", ranks.count), kHint);
  }
  ranks.kind = RanksWanted::Kind::share;
  if (entry.value.is_number_float()) {
    ranks.share = entry.value.get<double>();
  } else if (entry.value.is_string()) {
    const auto text = entry.value.get<std::string>();
    if (text == "all") return {RanksWanted::Kind::all, 1, 1, entry.where};
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    if (digits == 0 || digits > 8 || text.substr(digits) != "%")
      refuse(entry.where, fmt::format("ranks: '{}' is no number of ranks", text), kHint);
    ranks.share = std::strtod(text.c_str(), nullptr) / 100;
  } else {
    refuse(entry.where, fmt::format("ranks: {} is no number of ranks", toml_kind(entry.value)), kHint);
  }
  if (!(ranks.share > 0 && ranks.share <= 1))
    refuse(entry.where, "ranks: a share is above 0 and at most 1, or 100%", kHint);
  return ranks;
}

/// The whole file.
class Reader {
 public:
  Reader(const std::filesystem::path& file, const std::filesystem::path& folder) {
    study_.file = file;
    study_.folder = folder;
  }

  Study read() {
    const TomlTable root = read_toml(study_.file);
    allow(root, {"title", "seed", "on_failure", "stage"}, "a study");
    if (const TomlEntry* title = root.find("title")) study_.title = text_of(*title);
    if (const TomlEntry* seed = root.find("seed")) {
      study_.seed = whole_number(*seed, 0, INT64_MAX);
      study_.seed_where = seed->where;
    }
    if (const TomlEntry* entry = root.find("on_failure")) stop_ = word_of(*entry, {"continue", "stop"}) == "stop";
    const TomlEntry* const stages = root.find("stage");
    if (stages == nullptr || !stages->is_table() || stages->tables.front().entries.empty())
      refuse(stages == nullptr ? study_.file.string() : stages->where, "there are no stages",
             "begin one with [stage.NAME]");
    const TomlTable& table = stages->tables.front();
    for (const TomlEntry& entry : table.entries) read_stage(entry);
    for (std::size_t i = 0; i < study_.stages.size(); ++i) connect(i, table.entries[i].tables.front());
    return std::move(study_);
  }

 private:
  void read_stage(const TomlEntry& entry) {
    const TomlTable& table = table_of(entry, "begin a stage with [stage.NAME]");
    Stage stage;
    stage.name = entry.key;
    stage.where = entry.where;
    const auto is_letter = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; };
    if (stage.name.empty() || !std::all_of(stage.name.begin(), stage.name.end(), is_letter))
      refuse(stage.where, fmt::format("'{}' cannot be the name of a stage", stage.name),
             "names are made of letters, digits, _ and -");
    const Texts engines = {"decompose", "sample", "optimize", "command"};
    const std::string engine =
        word_of(need(table, stage.where, "engine", fmt::format("it is one of {}", fmt::join(engines, ", "))), engines);
    stage.engine = static_cast<Engine>(std::find(engines.begin(), engines.end(), engine) - engines.begin());
    stage.stop_on_failure = stop_;
    stage.ranks = {stage.engine == Engine::command ? RanksWanted::Kind::count : RanksWanted::Kind::all, 1, 1,
                   stage.where};
    option_keys_ = option_keys(stage.engine);
    for (const TomlEntry& key : table.entries) read_key(stage, key);
    check_sweeps(stage);
    if (stage.select && !stage.has_instances())
      refuse(stage.select->where, "select: the stage has one instance", "leave it out, or add sweep.KEY or repeat");
    if (stage.engine == Engine::optimize) read_stage_space(stage, table, study_);
    study_.stages.push_back(std::move(stage));
  }

  void read_key(Stage& stage, const TomlEntry& entry) {
    const std::string& key = entry.key;
    const bool optimizes = stage.engine == Engine::optimize;
    if (key == "engine") return;
    if (key == "needs") return read_needs(stage, entry);
    if (key == "ranks") return static_cast<void>(stage.ranks = ranks_of(entry));
    if (key == "on_failure") {
      stage.stop_on_failure = word_of(entry, {"continue", "stop"}) == "stop";
    } else if (key == "sweep") {
      for (const TomlEntry& values : table_of(entry, "write sweep.rank = [4, 8, 16]").entries)
        read_sweep(stage, values);
    } else if (key == "repeat") {
      stage.repeat = static_cast<int>(whole_number(entry, 1, kMostRepeats));
      stage.repeat_where = entry.where;
    } else if (key == "select") {
      const TomlTable& table = table_of(entry, "write select.metric = \"log_evidence\"");
      allow(table, {"metric", "direction"}, "select");
      const TomlEntry& metric = need(table, entry.where, "metric", "such as select.metric = \"fit\"");
      stage.select = Selection{text_of(metric), is_maximum(table), metric.where};
    } else if (optimizes && (key == "parameter" || key == "constraint")) {
      return;  // of the space
    } else if (optimizes && key == "objective" && !entry.value.is_string()) {
      if (entry.is_table()) read_objective(stage, entry);
    } else {
      check_key(stage, key, entry.where, stage_keys());
      stage.options.push_back({key, entry.value, entry.where});
    }
  }

  void read_needs(Stage& stage, const TomlEntry& entry) const {
    if (!entry.value.is_array()) wrong_kind(entry, "a list of stages such as [\"fit\"]");
    for (const Json& name : entry.value) {
      if (!name.is_string())
        refuse(entry.where, fmt::format("needs: the name of a stage expected, not {}", toml_kind(name)), kHelp);
      stage.needs.push_back({name.get<std::string>(), entry.where});
    }
  }

  void check_key(const Stage& stage, const std::string& key, const std::string& where, Texts others) const {
    if (const auto reason = refused_key(stage.engine, key))
      refuse(where, fmt::format("{}: {}", key, reason->first), reason->second);
    if (std::find(option_keys_.begin(), option_keys_.end(), key) != option_keys_.end()) return;
    if (key == "objective" || key == "parameter" || key == "space")
      refuse(where, fmt::format("{}: is for optimize stages", key), "leave it out");
    others.insert(others.end(), option_keys_.begin(), option_keys_.end());
    const std::string_view engine = name(stage.engine);
    refuse(where, fmt::format("unknown key '{}'", key),
           nearest_or(key, others,
                      stage.engine == Engine::command
                          ? std::string(kHelp)
                          : fmt::format("keys are those of 'tempera help studies' and the long options of "
                                        "'tempera {} --help'",
                                        engine)));
  }

  void read_sweep(Stage& stage, const TomlEntry& entry) const {
    check_key(stage, entry.key, entry.where, {});
    if (entry.key == "space") refuse(entry.where, "sweep.space: a space is not swept", "make a stage of each space");
    if (!entry.value.is_array() || entry.value.empty())
      refuse(entry.where, fmt::format("sweep.{}: a list of values expected", entry.key),
             fmt::format("such as sweep.{} = [4, 8, 16]", entry.key));
    Sweep sweep{entry.key, {}, entry.where};
    for (const Json& value : entry.value) {
      if (std::find(sweep.values.begin(), sweep.values.end(), value) != sweep.values.end())
        refuse(entry.where, fmt::format("sweep.{}: {} is there twice", entry.key, value.dump()),
               "name each value once");
      sweep.values.push_back(value);
    }
    stage.sweeps.push_back(std::move(sweep));
  }

  static void check_sweeps(const Stage& stage) {
    for (const Sweep& sweep : stage.sweeps)
      if (const OptionEntry* option = stage.option(sweep.key))
        refuse(sweep.where, fmt::format("sweep.{}: '{}' has a value too ({})", sweep.key, sweep.key, option->where),
               "leave out one of the two");
  }

  static void read_objective(Stage& stage, const TomlEntry& entry) {
    const TomlTable& table = entry.tables.front();
    allow(table, {"stage", "metric", "direction"}, "objective");
    const TomlEntry& of = need(table, entry.where, "stage", "objective.stage names the stage that a trial runs");
    const TomlEntry& metric =
        need(table, entry.where, "metric", "objective.metric names a key of that stage's summary, such as \"fit\"");
    stage.objective = StageObjective{text_of(of), text_of(metric), is_maximum(table), of.where, metric.where};
  }

  /// What depends on the other stages.
  void connect(std::size_t index, const TomlTable& table) const {
    const Stage& stage = study_.stages[index];
    Texts names;
    for (const Stage& other : study_.stages) names.push_back(other.name);
    for (const NeededStage& needed : stage.needs) {
      const auto other = study_.find(needed.stage);
      if (!other)
        refuse(needed.where, fmt::format("needs: unknown stage '{}'", needed.stage),
               nearest_or(needed.stage, names, fmt::format("stages are {}", fmt::join(names, ", "))));
      if (study_.is_template(*other))
        refuse(needed.where,
               fmt::format("needs: '{}' does not run on its own: its runs are trials of '{}'", needed.stage,
                           study_.stages[study_.users_of(*other).front()].name),
               fmt::format("name '{}'", study_.stages[study_.users_of(*other).front()].name));
    }
    if (stage.objective) connect_objective(stage, names);
    if (!study_.is_template(index)) return;
    const std::string& user = study_.stages[study_.users_of(index).front()].name;
    for (const auto& [key, hint] :
         {std::pair<const char*, std::string>{"ranks", fmt::format("say ranks-per-trial in stage '{}'", user)},
          {"on_failure", fmt::format("trials that fail count as failed; say it in stage '{}'", user)},
          {"sweep", "make it a parameter of the space"},
          {"repeat", "leave it out"},
          {"select", "leave it out"}})
      if (const TomlEntry* entry = table.find(key))
        refuse(entry->where, fmt::format("{}: the runs of this stage are trials of '{}'", key, user), hint);
  }

  void connect_objective(const Stage& stage, const Texts& names) const {
    const StageObjective& objective = *stage.objective;
    const auto other = study_.find(objective.stage);
    if (!other)
      refuse(objective.stage_where, fmt::format("objective.stage: unknown stage '{}'", objective.stage),
             nearest_or(objective.stage, names, fmt::format("stages are {}", fmt::join(names, ", "))));
    const Engine engine = study_.stages[*other].engine;
    if (engine != Engine::decompose && engine != Engine::sample)
      refuse(objective.stage_where,
             fmt::format("objective.stage: '{}' is a stage of {}; a trial is one of decompose or sample",
                         objective.stage, name(engine)),
             "a program is tried by its command: command = \"…\" in place of objective.stage");
    for (const char* key : {"command", "set"})
      if (const OptionEntry* entry = stage.option(key))
        refuse(entry->where, fmt::format("{}: the trials are runs of '{}' (objective.stage)", key, objective.stage),
               "leave out one of the two");
    if (!stage.space)
      refuse(stage.where, "the space of the trials is missing",
             "add [[stage." + stage.name + ".parameter]] tables, or space = \"FILE\"");
  }

  Study study_;
  bool stop_ = false;
  Texts option_keys_;
};

}  // namespace

const OptionEntry* Stage::option(std::string_view key) const {
  const auto found = std::find_if(options.begin(), options.end(), [&](const OptionEntry& e) { return e.key == key; });
  return found == options.end() ? nullptr : &*found;
}

const Sweep* Stage::sweep(std::string_view key) const {
  const auto found = std::find_if(sweeps.begin(), sweeps.end(), [&](const Sweep& s) { return s.key == key; });
  return found == sweeps.end() ? nullptr : &*found;
}

std::optional<std::size_t> Study::find(std::string_view stage) const {
  for (std::size_t i = 0; i < stages.size(); ++i)
    if (stages[i].name == stage) return i;
  return std::nullopt;
}

std::vector<std::size_t> Study::users_of(std::size_t stage) const {
  std::vector<std::size_t> users;
  for (std::size_t i = 0; i < stages.size(); ++i)
    if (stages[i].objective && stages[i].objective->stage == stages[stage].name) users.push_back(i);
  return users;
}

std::string Study::located(const std::string& path) const {
  if (path.empty() || path.front() == '/' || folder == ".") return path;
  return (folder / path).string();
}

Study read_study(const std::filesystem::path& file) {
  return read_study(file, file.parent_path().empty() ? "." : file.parent_path());
}

Study read_study(const std::filesystem::path& file, const std::filesystem::path& folder) {
  return Reader(file, folder).read();
}

}  // namespace tempera::drivers
