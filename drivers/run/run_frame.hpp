#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "core/base/option_schema.hpp"
#include "core/base/error.hpp"
#include "distributed/checkpoint/checkpoints.hpp"
#include "distributed/communicator/collectively.hpp"
#include "drivers/common_options.hpp"
#include "drivers/run/run_folder.hpp"
#include "drivers/run/run_log.hpp"
#include "drivers/session.hpp"

namespace tempera::drivers {

/// A run that goes on.
struct ResumedRun {
  std::filesystem::path folder;
  nlohmann::ordered_json manifest;
  std::string input_sha256;
};

/// What the frame is told; the references must outlive it.
struct RunRequest {
  const char* command;  ///< "decompose"
  const CommonOptions& common;
  const OptionSchema& schema;
  std::chrono::steady_clock::time_point start;  ///< of the process; time limits count from here
  const std::optional<ResumedRun>& resume;      ///< nothing: a new run
};

/// Where the computation stands, as its command knows it. On rank 0.
struct RunPosition {
  /// For the index of a generation, and for the run that goes on from it.
  std::function<nlohmann::ordered_json()> describe;
  /// Takes back what `describe` said when the generation was written.
  std::function<void(const nlohmann::ordered_json&)> restore;
  /// The same for people: "sweep 12, fit 0.9".
  std::function<std::string(const nlohmann::ordered_json&)> text;
};

/// One run of a command, from the checked options to the written folder, from its beginning or from its last
/// checkpoint: all that does not depend on what is computed. Lives on every rank; folder and log are of use on rank 0
/// only, where folder() is not null after open_folder().
class RunFrame {
 public:
  RunFrame(const Session& session, const RunRequest& request);

  /// On rank 0: checks that the run may be written (see RunFolder). Elsewhere nothing. @throws Error
  void open_folder();
  RunFolder* folder() { return folder_ ? &*folder_ : nullptr; }
  RunLog& log() { return log_; }
  bool resumed() const { return request_.resume.has_value(); }

  /// The run begins to exist: manifest (of a new run with `more`, such as its input), log. Collective.
  void begin(const nlohmann::ordered_json& more);
  /// Computes between the checkpoints of the run. Collective.
  /// @param configuration  what another result would come of, as the checkpoints remember it
  /// @param bytes          about how much a checkpoint holds
  void compute(const nlohmann::ordered_json& configuration, const std::string& input_sha256, double bytes,
               RunPosition position, const std::function<void(Checkpoints&)>& body);
  /// The same for a run that keeps a journal and needs no checkpoints. Collective.
  void work(const std::function<void()>& body);
  /// On rank 0, where work() goes on with a run: what its journal tells. @param line  for people
  void go_on_from_journal(double seconds_before, nlohmann::ordered_json record, const std::string& line);
  /// Whether a signal has come to this rank, or, on rank 0, the time limit leaves fewer than `seconds`.
  bool has_to_leave(double seconds) const;
  /// On rank 0, once a run keeps more files than the frame knows: whether the folder was removed since the last call. It is made
  /// again; those files are to be written anew.
  bool was_lost();
  /// On rank 0: a step is done; a record for the log, to which the seconds so far are added, and a line for people.
  /// Elsewhere nothing.
  void step(nlohmann::ordered_json record, const std::string& line);
  /// The same for a step that people are shown whatever was shown just before. On rank 0.
  void milestone(nlohmann::ordered_json record, const std::string& line);
  /// Of computing, in this process and those before it.
  double seconds() const { return seconds_before_ + now() - start_; }

  /// After a request to stop: no results, the checkpoint or the journal has it all. Collective.
  /// @param where  the run stands, for people @return the exit status @throws Error if there is no checkpoint
  int leave(const std::string& where);
  /// On rank 0: summary.json, summary.txt, and what is printed: the summary with --json, else what `text` returns unless --quiet
  /// (of a stage of a study nothing).
  void deliver(const nlohmann::ordered_json& summary, const std::function<std::string()>& text) const;

  /// With --profile: profile.json. Collective.
  void write_profile() const;
  /// The manifest says how the run ended.
  void finish(int status);
  /// The same after an error, which matters more than one of this attempt.
  void abandon(int status) noexcept;

 private:
  static double now();
  CheckpointHooks hooks(const RunPosition& position);
  nlohmann::ordered_json describe(const RunPosition& position);
  void go_on_from(const CheckpointReader* reader, const RunPosition& position);
  void recover();

  const Communicator& world_;
  const StopRequest& signals_;  // one that came while the input was read ends the run after its first step
  RunRequest request_;
  std::optional<RunFolder> folder_;
  RunLog log_;
  std::optional<double> deadline_;  // on the steady clock, on rank 0
  std::string failure_;             // of the last checkpoint
  double start_ = 0;                // of the computation in this process
  double seconds_before_ = 0;       // in those before it
  bool begun_ = false;
  bool lost_ = false;
};

/// Has a command's computation run on all ranks, and its manifest say how it ended: `run()` gives the exit status, `frame()`
/// the frame, `recorded(status)` what the manifest is to say. Collective. @throws Error on all ranks
template <class Computation>
int run_framed(const Communicator& world, Computation& computation) {
  try {
    return collectively(world, [&] {
      const int status = computation.run();
      computation.frame().write_profile();
      computation.frame().finish(computation.recorded(status));
      return status;
    });
  } catch (const Error& error) {
    computation.frame().abandon(exit_status(error.category()));
    throw;
  }
}

}  // namespace tempera::drivers
