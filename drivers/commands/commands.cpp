#include "drivers/commands/commands.hpp"

#include "drivers/commands/convert.hpp"
#include "drivers/commands/decompose.hpp"
#include "drivers/commands/doctor.hpp"
#include "drivers/commands/help.hpp"
#include "drivers/commands/optimize.hpp"
#include "drivers/commands/resume.hpp"
#include "drivers/commands/run.hpp"
#include "drivers/commands/sample.hpp"
#include "drivers/commands/status.hpp"

namespace tempera::drivers {

std::span<const Command> commands() {
  static constexpr Command kCommands[] = {
      {"convert", kConvertSummary, run_convert},
      {"decompose", kDecomposeSummary, run_decompose},
      {"doctor", kDoctorSummary, run_doctor},
      {"help", kHelpSummary, run_help},
      {"optimize", kOptimizeSummary, run_optimize},
      {"resume", kResumeSummary, run_resume},
      {"run", kRunSummary, run_study},
      {"sample", kSampleSummary, run_sample},
      {"status", kStatusSummary, run_status},
  };
  return kCommands;
}

}  // namespace tempera::drivers
