#include "core/bayesopt/objectives.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "core/base/contract.hpp"
#include "core/base/random_stream.hpp"
#include "core/bayesopt/detail/test_functions.hpp"

namespace tempera {

namespace {

struct Box {
  double low, high;
};

/// A row of the table of functions.
struct Entry {
  const char* name;
  const char* summary;
  double (*function)(std::span<const double>);
  std::vector<Box> boxes;  ///< one for all coordinates if the dimension is free
  Index free_dimension;    ///< the default of a free dimension; 0: it is fixed
  double optimum;          ///< of one coordinate if the dimension is free
  std::vector<double> optimum_at;
};

/// Optima that have no closed form were found in 40 digits by Newton's method from the published ones.
const std::vector<Entry>& entries() {
  static const std::vector<Entry> kEntries = {
      {"branin",
       "three equal basins",
       detail::branin,
       {{-5, 10}, {0, 15}},
       0,
       0.397887357729738339,
       {std::numbers::pi, 2.275}},
      {"hartmann3",
       "four bumps in three dimensions",
       detail::hartmann3,
       {{0, 1}, {0, 1}, {0, 1}},
       0,
       -3.86277978733266252,
       {0.114588876655068968, 0.555648894616930045, 0.852546984686677438}},
      {"hartmann6",
       "four bumps in six dimensions, with a second basin at -3.203",
       detail::hartmann6,
       {{0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 1}},
       0,
       -3.3223680114155148,
       {0.201689511006705424, 0.150010691823457969, 0.47687397422189699, 0.275332430494056068, 0.311651616600113242,
        0.657300534065620306}},
      {"six-hump-camel",
       "six basins, two of them lowest",
       detail::six_hump_camel,
       {{-3, 3}, {-2, 2}},
       0,
       -1.03162845348987735,
       {0.0898420131003180624, -0.712656403020739633}},
      {"goldstein-price",
       "values over six orders of magnitude",
       detail::goldstein_price,
       {{-2, 2}, {-2, 2}},
       0,
       3,
       {0, -1}},
      {"ackley", "a narrow funnel in a field of small basins", detail::ackley, {{-32.768, 32.768}}, 5, 0, {0}},
      {"levy", "waves on a bowl", detail::levy, {{-10, 10}}, 4, 0, {1}},
      {"rosenbrock", "a bent flat valley", detail::rosenbrock, {{-5, 10}}, 4, 0, {1}},
      {"styblinski-tang",
       "two basins a coordinate",
       detail::styblinski_tang,
       {{-5, 5}},
       4,
       -39.1661657037714155,
       {-2.9035340277711771}},
      {"rastrigin", "a bowl with a grid of basins", detail::rastrigin, {{-5.12, 5.12}}, 4, 0, {0}},
      {"sphere", "a bowl", detail::sphere, {{-5.12, 5.12}}, 4, 0, {0}},
  };
  return kEntries;
}

struct Options {
  Index dim = 0;
  Index integers = 0;
  double noise = 0;

  void declare(OptionSchema& schema, const Entry& entry) {
    constexpr double kLargest = 1000;
    dim = entry.free_dimension > 0 ? entry.free_dimension : std::ssize(entry.boxes);
    if (entry.free_dimension > 0) schema.integer("dim", dim).minimum(1).maximum(kLargest).help("coordinates");
    if (entry.free_dimension > 0 && std::trunc(entry.optimum_at[0]) == entry.optimum_at[0])
      schema.integer("integers", integers).minimum(0).maximum(kLargest).help("coordinates that are integers");
    schema.real("noise", noise).minimum(0).help("standard deviation of a normal error");
  }
};

const Entry& find_entry(std::string_view name) {
  std::vector<std::string> names;
  for (const Entry& entry : entries()) names.push_back(entry.name);
  return entries()[find_named(name, names, "objective", "--objective")];
}

Options read_options(const Entry& entry, std::span<const std::string> settings) {
  Options options;
  OptionSchema schema(entry.name, entry.summary);
  options.declare(schema, entry);
  for (const std::string& setting : settings) apply_setting(schema, setting, "objective", "--set");
  if (options.integers > options.dim)
    throw Error(Category::usage, "--set", fmt::format("integers: {} of {} coordinates", options.integers, options.dim),
                "integers is at most dim");
  if (options.dim == 1 && entry.function == detail::rosenbrock)
    throw Error(Category::usage, "--set", "dim: rosenbrock has two coordinates or more", "");
  return options;
}

Space space_of(const Entry& entry, const Options& options) {
  std::vector<Parameter> parameters;
  for (Index i = 0; i < options.dim; ++i) {
    const Box box = entry.boxes[entry.free_dimension > 0 ? 0 : static_cast<std::size_t>(i)];
    Parameter parameter{.name = fmt::format("x{}", i + 1), .low = box.low, .high = box.high};
    if (i < options.integers) {
      parameter.type = ParameterType::integer;
      parameter.low = std::ceil(box.low);
      parameter.high = std::floor(box.high);
    }
    parameters.push_back(std::move(parameter));
  }
  return Space(std::move(parameters));
}

}  // namespace

std::vector<ObjectiveDescription> describe_objectives() {
  std::vector<ObjectiveDescription> descriptions;
  for (const Entry& entry : entries()) {
    Options options;
    OptionSchema schema(entry.name, entry.summary);
    options.declare(schema, entry);
    descriptions.push_back({entry.name, entry.summary, describe_settings(schema)});
  }
  return descriptions;
}

TestObjective::TestObjective(std::string_view name, std::span<const std::string> settings)
    : name_(name), space_(space_of(find_entry(name), read_options(find_entry(name), settings))) {
  const Entry& entry = find_entry(name);
  const Options options = read_options(entry, settings);
  function_ = entry.function;
  noise_ = options.noise;
  const bool free = entry.free_dimension > 0;
  optimum_ = entry.optimum * (free ? static_cast<double>(options.dim) : 1.0);
  optimum_at_ =
      free ? std::vector<double>(static_cast<std::size_t>(options.dim), entry.optimum_at[0]) : entry.optimum_at;
}

double TestObjective::exact(std::span<const double> point) const {
  TEMPERA_EXPECTS(std::ssize(point) == space_.size());
  std::vector<double> coordinates(point.size());
  for (Index i = 0; i < space_.size(); ++i)
    coordinates[static_cast<std::size_t>(i)] = space_.number(i, point[static_cast<std::size_t>(i)]);
  return function_(coordinates);
}

double TestObjective::evaluate(std::span<const double> point, std::uint64_t seed, Index trial) const {
  const double value = exact(point);
  return noise_ > 0 ? value + noise_ * RandomStream(seed, "objective-noise", {trial}).normal() : value;
}

}  // namespace tempera
