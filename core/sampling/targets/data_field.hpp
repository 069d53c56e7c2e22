#pragma once

#include <string>

namespace tempera {

/// A field of the JSON data file of a built-in target.
struct DataField {
  std::string name;
  std::string shape;  ///< "N", "N × K", "" a scalar
  bool optional = false;
  std::string help;  ///< what it means and which values it may have
};

/// Headings of a target's settings. What stands under the first is refused beside a data file.
inline constexpr const char* kSimulatedData = "Simulated data";
inline constexpr const char* kModel = "Model";

}  // namespace tempera
