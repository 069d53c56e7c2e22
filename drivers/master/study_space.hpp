#pragma once

#include "core/base/toml_document.hpp"
#include "drivers/master/study.hpp"

namespace tempera::drivers {

/// Reads the space of an optimize stage, if it has one: its parameter, constraint and objective tables, or the file that
/// `space` names.
/// @param table  of the stage
/// @param study  that it is of, for the folder
/// @throws Error as read_study
void read_stage_space(Stage& stage, const TomlTable& table, const Study& study);

}  // namespace tempera::drivers
