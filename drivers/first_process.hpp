#pragma once

#include <chrono>
#include <thread>

#include "drivers/launch.hpp"

namespace tempera::drivers {

/// For processes that nothing orders, before they leave with a failure: mpirun ends the whole job when the first of them
/// leaves, so the silent ones give the one that prints time to do so.
inline void let_the_first_process_print(const Launch& launch) {
  if (!launch.is_first()) std::this_thread::sleep_for(std::chrono::seconds(1));
}

}  // namespace tempera::drivers
