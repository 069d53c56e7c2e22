#include "drivers/commands/commands.hpp"

#include "drivers/commands/convert.hpp"
#include "drivers/commands/decompose.hpp"
#include "drivers/commands/doctor.hpp"
#include "drivers/commands/help.hpp"
#include "drivers/commands/optimize.hpp"
#include "drivers/commands/plan.hpp"
#include "drivers/commands/resume.hpp"
#include "drivers/commands/run.hpp"
#include "drivers/commands/sample.hpp"
#include "drivers/commands/status.hpp"

namespace tempera::drivers {

std::span<const Command> commands() {
  static constexpr Command kCommands[] = {
      {"convert", kConvertSummary, run_convert, convert_schemas},
      {"decompose", kDecomposeSummary, run_decompose, decompose_schemas},
      {"doctor", kDoctorSummary, run_doctor, doctor_schemas},
      {"help", kHelpSummary, run_help, help_schemas},
      {"optimize", kOptimizeSummary, run_optimize, optimize_schemas},
      {"plan", kPlanSummary, run_plan, plan_schemas},
      {"resume", kResumeSummary, run_resume, resume_schemas},
      {"run", kRunSummary, run_study, study_schemas},
      {"sample", kSampleSummary, run_sample, sample_schemas},
      {"status", kStatusSummary, run_status, status_schemas},
  };
  return kCommands;
}

}  // namespace tempera::drivers
