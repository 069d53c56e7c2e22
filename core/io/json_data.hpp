#pragma once

#include <filesystem>
#include <initializer_list>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/base/index.hpp"
#include "core/base/option_value.hpp"

namespace tempera {

/// The data of a model: a JSON object of numbers and (nested) arrays of numbers by name, as Stan writes them.
///
///     JsonData data = JsonData::read("schools.json");
///     const Index schools = data.integer("J", {.minimum = 1});
///     const std::vector<double> errors = data.numbers("sigma", {schools}, {.minimum = 0, .minimum_excluded = true});
///     data.refuse_unused();
///
/// Nothing is converted but numbers: null, text and booleans are refused. A whole number may be written 8 or 8.0.
/// Every misfit is an Error{input} that names the file and the field: a missing field (with the name in the file that
/// comes nearest), another type, another number of entries, a row of another length than the others should have, an entry
/// out of range. Rows and entries count from 1 in messages ("entry 3 of 8").
class JsonData {
 public:
  /// @param form  hint for misfits that says what the file should hold; may be empty
  /// @throws Error{input} as check_input_file does; with the line of a syntax error; for a field given twice, and for
  ///         anything but an object
  static JsonData read(const std::filesystem::path& path, std::string form = {});
  /// The same from text. @param origin  how messages name it
  JsonData(const std::string& text, std::string origin, std::string form = {});

  /// A scalar. @throws Error{input}, as all below
  Index integer(const std::string& name, const OptionRange& range = {});
  double real(const std::string& name, const OptionRange& range = {});
  /// All entries of an array of this shape, row-major. @param range  of each entry
  std::vector<Index> integers(const std::string& name, std::initializer_list<Index> shape,
                              const OptionRange& range = {});
  std::vector<double> numbers(const std::string& name, std::initializer_list<Index> shape,
                              const OptionRange& range = {});

  bool has(const std::string& name) const;
  /// Entries of an array, or of its first row (mode 1), of whatever type; 0 rows have rows of 0. @pre mode 0 or 1
  Index length(const std::string& name, int mode = 0);
  /// The whole number `name` ≥ 1 if the file has it, else length(array, mode), which must be ≥ 1 too: for files that may
  /// leave sizes out.
  Index size(const std::string& name, const std::string& array, int mode = 0);

  /// Fields that none of the functions above was asked for, in the order of the file.
  std::vector<std::string> unused() const;
  /// @throws Error{input} naming the first of them, with the nearest name that was asked for
  void refuse_unused() const;

 private:
  const nlohmann::ordered_json& field(const std::string& name);
  [[noreturn]] void fail(const std::string& name, const std::string& what, const std::string& hint) const;
  [[noreturn]] void refuse_missing(const std::string& name) const;
  template <class T>
  T number(const std::string& name, const nlohmann::ordered_json& value, const OptionRange& range,
           const std::string& place) const;
  template <class T>
  void append(const std::string& name, const nlohmann::ordered_json& value, std::span<const Index> shape,
              const OptionRange& range, const std::string& place, std::vector<T>& entries) const;
  template <class T>
  std::vector<T> array(const std::string& name, std::span<const Index> shape, const OptionRange& range);

  std::shared_ptr<const nlohmann::ordered_json> root_;
  std::string origin_;
  std::string form_;
  std::set<std::string> asked_;
};

}  // namespace tempera
