#include "drivers/commands/commands.hpp"

#include "drivers/commands/doctor.hpp"

namespace tempera::drivers {

std::span<const Command> commands() {
  static constexpr Command kCommands[] = {
      {"doctor", kDoctorSummary, run_doctor},
  };
  return kCommands;
}

}  // namespace tempera::drivers
