#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/index.hpp"

namespace tempera {

struct InferenceVariable {
  /// boolean is kept as xarray and ArviZ keep it: int8 with the attribute dtype = "bool".
  enum class Type { float64, int64, boolean };

  std::string name;
  std::vector<Index> shape;  ///< of one draw; empty: a scalar
  Type type = Type::float64;
  std::vector<std::string> dimensions;  ///< one name a mode of the shape; empty: NAME_dim_0, NAME_dim_1 …
};

struct InferenceAttribute {
  std::string name;
  std::variant<std::string, double, Index> value;
};

/// A group of the file: posterior, warmup_posterior, sample_stats, prior, log_likelihood, observed_data …
struct InferenceGroup {
  std::string name;
  /// Every variable is [chain, draw, its shape]. Both 0: the variables have only their own dimensions (observed_data).
  Index chains = 0;
  Index draws = 0;
  std::vector<InferenceVariable> variables;
  std::vector<InferenceAttribute> attributes;
};

struct InferenceLayout {
  std::vector<InferenceGroup> groups;
  std::vector<InferenceAttribute> attributes;  ///< of the file
};

/// What ArviZ expects of every group: created_at (as given: the caller's clock), creation_library and its version,
/// inference_library and its version (Tempera's), and, where given, sampling_time (seconds) and tuning_steps.
std::vector<InferenceAttribute> inference_attributes(const std::string& created_at,
                                                     std::optional<double> sampling_seconds = {},
                                                     std::optional<Index> tuning_steps = {});

/// Says before a long run what would be refused after it.
/// @throws Error{input} naming group and variable: a name that NetCDF does not allow (empty, over 255 bytes, beginning
///         with anything but a letter, a digit or '_', holding '/' or a control character, ending in a space, not UTF-8),
///         a name used twice in a group ("chain", "draw" and every dimension are names of variables too), one dimension
///         with two sizes
/// @pre sizes are positive, a shape has at most 30 modes
void check_inference_layout(const InferenceLayout& layout);

/// Cells of [first_chain, first_chain + chains) × [first_draw, first_draw + draws).
struct DrawRange {
  Index first_chain = 0;
  Index chains = 1;
  Index first_draw = 0;
  Index draws = 1;
};

/// Entry e of the k-th draw of the c-th chain of a range is values[c·chain_stride + k·draw_stride + e]: the entries of
/// one variable lie together in C order, in a record of all variables or without gaps.
struct StridedDraws {
  std::span<const double> values;
  Index chain_stride = 0;
  Index draw_stride = 0;
};

/// Writes a NetCDF-4 file in the InferenceData layout of ArviZ, which appears under its name at commit(); an object that
/// goes before leaves nothing. All calls are serial.
///
/// Data are contiguous and lie where the layout alone decides: equal cells and attributes are equal bytes, in whatever
/// blocks and order they were written. They are not compressed, which takes 11 % off independent draws at a thirtieth of
/// the speed (`nccopy -d 1 -s` does it afterwards). The library makes the structure of the file before any data, which
/// are then written past it, so a disk that fills up is an Error at once and nothing worse. It takes time with the square
/// of the number of variables (0.2 s for 1000, 6 s for 10 000): entries of one kind belong into one variable.
class InferenceDataWriter {
 public:
  /// @throws Error{input} of check_inference_layout; Error{environment} for a disk without room for the whole file
  InferenceDataWriter(const std::filesystem::path& path, const InferenceLayout& layout);
  InferenceDataWriter(InferenceDataWriter&&) noexcept;
  ~InferenceDataWriter();

  /// A block of draws, in any order; what is written twice keeps the later values. Costs one system call for every chain
  /// (for every MiB of larger ones); memory: 1 MiB.
  /// @pre the group and the variable are of the layout, the range lies in it, `source` covers it
  /// @throws Error{numerical} for a value that an int64 or bool cannot hold; Error{environment} if the disk is full
  void write(std::string_view group, std::string_view variable, const DrawRange& range, const StridedDraws& source);
  /// All cells of a variable in C order.
  void write(std::string_view group, std::string_view variable, std::span<const double> values);

  /// Cells of float64 that were never written become NaN.
  /// @pre every int64 and bool was written
  void commit();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tempera
