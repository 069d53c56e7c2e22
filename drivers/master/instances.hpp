#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "drivers/master/study.hpp"

namespace tempera::drivers {

/// One run of a stage: the stage itself, or one of its sweep and repeats.
struct Instance {
  std::size_t stage = 0;
  std::string label;               ///< "rank=4,repeat=2"; empty where the stage has one instance
  std::string name;                ///< "fit[rank=4,repeat=2]", or the stage's name
  std::filesystem::path folder;    ///< "fit/rank=4,repeat=2", or the stage's name: below RUN/stages
  std::vector<OptionEntry> swept;  ///< the values of the sweep
  int repeat = 0;                  ///< 1, 2, …; 0: not repeated
};

/// All instances, stage by stage in the order of the file; the first key of a sweep varies slowest, the repeats fastest.
/// Stages whose runs are trials have none.
/// @throws Error{usage} for a stage of more than 100,000 instances
std::vector<Instance> expand(const Study& study);

/// The engine's options of an instance as the file has them: those of the stage, the swept ones, and the seed: the stage's, or
/// else the study's, plus repeat − 1.
std::vector<OptionEntry> options_of(const Study& study, const Instance& instance);

}  // namespace tempera::drivers
