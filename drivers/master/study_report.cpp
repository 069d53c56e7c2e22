#include "drivers/master/study_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/base/file_bytes.hpp"
#include "core/base/text.hpp"

namespace tempera::drivers {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kShownRuns = 40;   // in the table
constexpr std::size_t kShownTexts = 3;   // of runs, each some twenty lines
constexpr std::size_t kShownValues = 4;  // of a command
constexpr std::size_t kShownLines = 40;  // that one printed

std::string number(const Json& value) {
  return value.is_number_float() ? fmt::format("{:.6g}", value.get<double>())
         : value.is_string()     ? value.get<std::string>()
                                 : value.dump();
}

/// `key value` for those of the keys that a summary has.
std::vector<std::string> values_of(const Json& summary, std::initializer_list<const char*> keys) {
  std::vector<std::string> texts;
  for (const char* key : keys)
    if (summary.contains(key) && !summary[key].is_null() && !summary[key].is_structured())
      texts.push_back(fmt::format("{} {}", key, number(summary[key])));
  return texts;
}

std::vector<std::string> point_of(const Json& summary) {
  std::vector<std::string> texts;
  if (const Json point = summary.value("best_point", Json()); point.is_object())
    for (const auto& [key, value] : point.items()) texts.push_back(fmt::format("{}={}", key, number(value)));
  return texts;
}

/// `key value ± error`, to two digits of the error.
std::string with_error(const char* key, const Json& value, const Json& error) {
  if (!error.is_number() || !(error.get<double>() > 0)) return fmt::format("{} {}", key, number(value));
  const int digits = std::clamp(1 - static_cast<int>(std::floor(std::log10(error.get<double>()))), 0, 9);
  return fmt::format("{} {:.{}f} ± {:.{}f}", key, value.get<double>(), digits, error.get<double>(), digits);
}

/// Runs that nothing else needs.
std::vector<std::size_t> last_runs(const StudyFacts& facts) {
  std::vector<bool> needed_stages(facts.graph.study.stages.size(), false);
  std::vector<bool> needed(facts.graph.instances.size(), false);
  for (const auto& dependencies : facts.graph.waits_for)
    for (const Dependency& dependency : dependencies) {
      if (dependency.instance)
        needed[*dependency.instance] = true;
      else
        needed_stages[dependency.stage] = true;
    }
  std::vector<std::size_t> last;
  for (std::size_t i = 0; i < needed.size(); ++i)
    if (!needed[i] && !needed_stages[facts.graph.instances[i].stage] && facts.results.contains(i)) last.push_back(i);
  return last;
}

/// What a command printed for people: nothing if its last line is for the study, or if it is long.
std::string printed_text(const std::filesystem::path& folder) {
  const std::string text = file_bytes(folder / "stdout");
  const std::size_t lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  const std::size_t last = text.size() < 2 ? std::string::npos : text.rfind('\n', text.size() - 2);
  const bool is_result = text.substr(last == std::string::npos ? 0 : last + 1).starts_with('{');
  return is_result || lines > kShownLines || (!text.empty() && text.back() != '\n') ? "" : text;
}

/// What the runs say themselves: all of them if they are few, else those that nothing else needs.
std::string own_texts(const StudyFacts& facts) {
  std::vector<std::string> texts, last;
  const std::vector<std::size_t> last_of = last_runs(facts);
  for (const auto& [i, result] : facts.results) {
    const std::string own = facts.graph.stage_of(i).engine == Engine::command
                                ? printed_text(result.folder)
                                : file_bytes(result.folder / "summary.txt");
    if (own.empty()) continue;
    texts.push_back(fmt::format("\n--- {}\n{}", facts.graph.instances[i].name, own));
    if (std::find(last_of.begin(), last_of.end(), i) != last_of.end()) last.push_back(texts.back());
  }
  if (texts.size() <= kShownTexts) return fmt::format("{}", fmt::join(texts, ""));
  last.resize(std::min(last.size(), kShownTexts));
  return fmt::format("{}", fmt::join(last, ""));
}

std::string table_text(const StudyFacts& facts) {
  std::vector<std::vector<std::string>> table{{"run", "engine", "ranks", "time", "", "result"}};
  const std::size_t runs = facts.graph.instances.size();
  for (std::size_t i = 0; i < std::min(runs, kShownRuns); ++i) {
    const InstanceRecord& record = facts.record[i];
    const Engine engine = facts.graph.stage_of(i).engine;
    const auto result = facts.results.find(i);
    table.push_back({facts.graph.instances[i].name, std::string(name(engine)),
                     record.ranks ? ranks_text(*record.ranks, facts.mpi_ranks) : "-",
                     record.ranks ? human_duration(record.seconds) : "-", status_name(record),
                     result != facts.results.end() ? result_text(engine, result->second.values) : record.what});
  }
  std::string text = text_table(table, TableColumns::left);
  if (runs > kShownRuns) text += fmt::format("  … and {} more (summary.json has all)\n", runs - kShownRuns);
  return text;
}

}  // namespace

std::string result_text(Engine engine, const Json& summary) {
  std::vector<std::string> texts;
  switch (engine) {
    case Engine::decompose:
      texts = values_of(summary, {"rank", "fit", "deviance"});
      if (const Json holdout = summary.value("holdout", Json()); holdout.is_object())
        for (const char* key : {"deviance", "squared_error"})
          if (holdout.contains(key)) texts.push_back(fmt::format("holdout.{} {}", key, number(holdout[key])));
      break;
    case Engine::sample:
      if (const Json evidence = summary.value("log_evidence", Json()); evidence.is_number())
        texts.push_back(with_error("log_evidence", evidence, summary.value("log_evidence_error", Json())));
      if (const Json exact = summary.value("exact_log_evidence", Json()); exact.is_number() && !texts.empty())
        texts.back() += fmt::format(" (exact {})", number(exact));
      if (summary.contains("verdict"))
        texts.push_back(summary["verdict"].value("good", false) ? "verdict good" : "verdict: look closer");
      break;
    case Engine::optimize:
      texts = values_of(summary, {"best_value"});
      if (const auto point = point_of(summary); !point.empty() && !texts.empty())
        texts.back() += fmt::format(" at {}", fmt::join(point, " "));
      if (summary.value("failed_trials", 0) > 0)
        texts.push_back(
            fmt::format("{} of {} trials failed", number(summary["failed_trials"]), number(summary["trials"])));
      break;
    case Engine::command:
      for (const auto& [key, value] : summary.items())
        if (!value.is_structured() && texts.size() < kShownValues)
          texts.push_back(fmt::format("{} {}", key, number(value)));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

Json values_in_report(const Json& summary) {
  Json values = Json::object();
  for (const auto& [key, value] : summary.items())
    if (!value.is_structured() || key == "best_point" || key == "holdout" || key == "verdict") values[key] = value;
  return values;
}

const char* status_name(const InstanceRecord& record) {
  switch (record.state) {
    case InstanceState::waiting: return "waiting";
    case InstanceState::running: return "running";
    case InstanceState::done: return "done";
    case InstanceState::failed: break;
  }
  return record.skipped ? "skipped" : "failed";
}

std::string ranks_text(RankSpan ranks, int mpi_ranks) {
  if (ranks.count == mpi_ranks) return "all ranks";
  if (ranks.count == 1) return fmt::format("rank {}", ranks.first);
  return fmt::format("ranks {}-{}", ranks.first, ranks.end() - 1);
}

std::optional<Error> first_failure(const StudyFacts& facts) {
  std::optional<std::size_t> first;
  std::size_t failed = 0;
  for (std::size_t i = 0; i < facts.graph.instances.size(); ++i) {
    const InstanceRecord& record = facts.record[i];
    if (record.state != InstanceState::failed || record.skipped) continue;
    ++failed;
    if (!first) first = i;
  }
  if (!first) return std::nullopt;
  const InstanceRecord& record = facts.record[*first];
  std::string what = fmt::format("{}: {}", facts.graph.instances[*first].name, record.what);
  if (failed > 1) what = fmt::format("{} runs failed, the first of them {}", failed, what);
  return Error(record.category, record.where, what);
}

double worker_busy_fraction(std::span<const StudySpan> spans) {
  struct Session {
    double begin = std::numeric_limits<double>::infinity(), end = 0;
    int workers = 1;
  };
  std::map<std::size_t, Session> sessions;
  double busy = 0;
  for (const StudySpan& span : spans) {
    Session& session = sessions[span.session];
    session.begin = std::min(session.begin, span.began);
    session.end = std::max(session.end, span.ended);
    session.workers = worker_ranks(span.mpi_ranks);
    const int master = span.mpi_ranks > 1 && span.ranks.contains(0) ? 1 : 0;
    busy += (span.ended - span.began) * (span.ranks.count - master);
  }
  double all = 0;
  for (const auto& [number, session] : sessions) all += (session.end - session.begin) * session.workers;
  return all > 0 ? std::min(1.0, busy / all) : 0;
}

Json study_summary(const StudyFacts& facts) {
  Json summary = {{"schema", 1}, {"command", "run"}, {"title", facts.graph.study.title}};
  summary["runs"] = facts.graph.instances.size();
  summary["done"] = facts.record.count(InstanceState::done);
  summary["failed"] = facts.record.count(InstanceState::failed);
  Json stages = Json::object();
  for (std::size_t i = 0; i < facts.graph.instances.size(); ++i) {
    const InstanceRecord& record = facts.record[i];
    Json run = {{"engine", name(facts.graph.stage_of(i).engine)}, {"status", status_name(record)}};
    run["folder"] = (std::filesystem::path("stages") / facts.graph.instances[i].folder).string();
    if (record.ranks) run["ranks"] = {record.ranks->first, record.ranks->end() - 1};
    run["seconds"] = record.seconds;
    if (record.state == InstanceState::failed) run["reason"] = record.what;
    if (const auto result = facts.results.find(i); result != facts.results.end()) {
      run["result"] = values_in_report(result->second.values);
    }
    stages[facts.graph.instances[i].name] = std::move(run);
  }
  summary["stages"] = std::move(stages);
  summary["seconds"] = facts.seconds;
  summary["mpi_ranks"] = facts.mpi_ranks;
  summary["worker_busy_fraction"] = worker_busy_fraction(facts.record.spans());
  return summary;
}

std::string study_text(const StudyFacts& facts, const std::string& run_folder) {
  const std::size_t runs = facts.graph.instances.size(), done = facts.record.count(InstanceState::done);
  std::string text = facts.graph.study.title.empty() ? "" : facts.graph.study.title + "\n\n";
  text += fmt::format("{} of {} run{} done in {}\n\n", done, runs, runs == 1 ? "" : "s", human_duration(facts.seconds));
  return text + table_text(facts) + own_texts(facts) + fmt::format("\nresults       {}\n", run_folder);
}

}  // namespace tempera::drivers
