#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/sampling/explorer.hpp"
#include "core/sampling/named_settings.hpp"

namespace tempera {

struct ExplorerDescription {
  std::string name;
  std::string summary;
  bool needs_gradient = false;
  std::vector<NamedSetting> settings;
};

/// All explorers with a name, in the order in which help lists them.
std::vector<ExplorerDescription> describe_explorers();

/// An explorer as people write it: a name with settings, `nuts`, `slice:random-directions`, `nuts:max-depth=8,target=0.9`;
/// several joined by `+`, a step of each in turn, `slice+rwm`; with a weight to each, one of them at random,
/// `slice@1+rwm:proposals=5@3`.
/// @throws Error{Category::usage} "--explorer" for an unknown name or setting, with the nearest known one, for a setting
///         given twice, for a value of the wrong kind or out of range, for weights of some but not all, and as the
///         composite explorers do
std::unique_ptr<Explorer> make_explorer(std::string_view text);

}  // namespace tempera
