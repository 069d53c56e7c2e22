#pragma once

#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <string>

#include "core/base/option_toml.hpp"

namespace tempera {

/// Options in the order to a group of ranks: a vector of them is what to_blob takes.
template <class Archive>
void serialize(Archive& archive, OptionEntry& entry, unsigned /*version*/) {
  using Json = nlohmann::ordered_json;
  std::string value = entry.value.dump(-1, ' ', false, Json::error_handler_t::replace);
  archive& entry.key& value& entry.where& entry.written;
  if constexpr (Archive::is_loading::value) entry.value = Json::parse(value);
}

}  // namespace tempera
