#include "core/io/inference_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/base/build_info.hpp"
#include "core/base/contract.hpp"
#include "core/base/error.hpp"
#include "core/io/detail/cell_writer.hpp"
#include "core/io/detail/netcdf_file.hpp"
#include "core/io/detail/netcdf_names.hpp"

namespace tempera {

using detail::NetcdfDimension;
using detail::NetcdfGroup;
using detail::NetcdfVariable;
using Type = InferenceVariable::Type;

namespace {
constexpr std::size_t kMostModes = 30;  // HDF5 has 32 dimensions at most, chain and draw among them

Error layout_error(const std::string& where, const std::string& what) {
  return Error(Category::input, where, what, "give it another name; draws are kept in a NetCDF file");
}

void check_name(const std::string& where, const std::string& name) {
  if (const std::string problem = detail::netcdf_name_problem(name); !problem.empty())
    throw layout_error(where, fmt::format("the name \"{}\" {}", name, problem));
}

/// A group of the file as it grows, with what ArviZ adds: the dimensions, each with a variable of its coordinates.
class GroupBuilder {
 public:
  explicit GroupBuilder(const InferenceGroup& group) : source_(group), sampled_(group.chains > 0 || group.draws > 0) {
    TEMPERA_EXPECTS(!sampled_ || (group.chains > 0 && group.draws > 0));
    group_.name = group.name;
    group_.attributes = group.attributes;
    if (sampled_) {
      add_dimension("chain", group.chains, group.name);
      add_dimension("draw", group.draws, group.name);
    }
    for (const InferenceVariable& variable : group.variables) add(variable);
  }

  NetcdfGroup finish() && {
    std::set<std::string> names;
    for (const NetcdfVariable& variable : group_.variables)
      if (!names.insert(variable.name).second)
        throw layout_error(source_.name, fmt::format("two variables have the name \"{}\"", variable.name));
    for (std::size_t k = 0; k < group_.dimensions.size(); ++k) {
      if (!names.insert(group_.dimensions[k].name).second)
        throw layout_error(source_.name,
                           fmt::format("the name \"{}\" is that of a dimension", group_.dimensions[k].name));
      group_.variables.push_back({group_.dimensions[k].name, Type::int64, {static_cast<int>(k)}});
    }
    return std::move(group_);
  }

 private:
  void add(const InferenceVariable& variable) {
    const std::string where = source_.name + "/" + variable.name;
    TEMPERA_EXPECTS(variable.shape.size() <= kMostModes);
    TEMPERA_EXPECTS(variable.dimensions.empty() || variable.dimensions.size() == variable.shape.size());
    check_name(source_.name, variable.name);
    NetcdfVariable& added = group_.variables.emplace_back();
    added.name = variable.name;
    added.type = variable.type;
    if (sampled_) added.dimensions = {0, 1};
    for (std::size_t k = 0; k < variable.shape.size(); ++k)
      added.dimensions.push_back(add_dimension(
          variable.dimensions.empty() ? fmt::format("{}_dim_{}", variable.name, k) : variable.dimensions[k],
          variable.shape[k], where));
  }

  int add_dimension(const std::string& name, Index size, const std::string& where) {
    TEMPERA_EXPECTS(size > 0);
    check_name(where, name);
    const auto [found, is_new] = places_.try_emplace(name, static_cast<int>(group_.dimensions.size()));
    if (is_new) group_.dimensions.push_back({name, size});
    const Index known = group_.dimensions[static_cast<std::size_t>(found->second)].size;
    if (known != size)
      throw layout_error(where, fmt::format("the dimension \"{}\" has {} and {} places", name, known, size));
    return found->second;
  }

  const InferenceGroup& source_;
  bool sampled_;
  NetcdfGroup group_;
  std::map<std::string, int> places_;
};

std::vector<NetcdfGroup> groups_of_file(const InferenceLayout& layout) {
  std::vector<NetcdfGroup> groups;
  std::set<std::string> names;
  for (const InferenceGroup& group : layout.groups) {
    check_name("draws", group.name);
    if (!names.insert(group.name).second)
      throw layout_error("draws", fmt::format("two groups have the name \"{}\"", group.name));
    groups.push_back(GroupBuilder(group).finish());
  }
  return groups;
}

}  // namespace

std::vector<InferenceAttribute> inference_attributes(const std::string& created_at,
                                                     std::optional<double> sampling_seconds,
                                                     std::optional<Index> tuning_steps) {
  const std::string version(build_info().version);
  std::vector<InferenceAttribute> attributes{{"created_at", created_at},
                                             {"creation_library", "Tempera"},
                                             {"creation_library_version", version},
                                             {"inference_library", "Tempera"},
                                             {"inference_library_version", version}};
  if (sampling_seconds) attributes.push_back({"sampling_time", *sampling_seconds});
  if (tuning_steps) attributes.push_back({"tuning_steps", *tuning_steps});
  return attributes;
}

void check_inference_layout(const InferenceLayout& layout) {
  static_cast<void>(groups_of_file(layout));
}

struct InferenceDataWriter::State {
  struct Variable {
    detail::CellArray array;
    Index chains = 1, draws = 1, entries = 1;
  };

  State(const std::filesystem::path& path, std::span<const NetcdfGroup> groups,
        std::span<const InferenceAttribute> attributes)
      : output(path), places(detail::create_netcdf(output, groups, attributes)), cells(output) {}

  Variable& find(std::string_view group, std::string_view name) {
    const auto of_group = variables.find(group);
    TEMPERA_EXPECTS(of_group != variables.end());
    const auto found = of_group->second.find(name);
    TEMPERA_EXPECTS(found != of_group->second.end());
    return found->second;
  }

  AtomicFile output;
  std::vector<std::vector<Index>> places;
  detail::CellWriter cells;
  std::map<std::string, std::map<std::string, Variable, std::less<>>, std::less<>> variables;
};

InferenceDataWriter::InferenceDataWriter(const std::filesystem::path& path, const InferenceLayout& layout) {
  const std::vector<NetcdfGroup> groups = groups_of_file(layout);
  state_ = std::make_unique<State>(path, groups, layout.attributes);
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const NetcdfGroup& group = groups[g];
    const InferenceGroup& asked = layout.groups[g];
    auto& variables = state_->variables[group.name];
    for (std::size_t v = 0; v < group.variables.size(); ++v) {
      const NetcdfVariable& variable = group.variables[v];
      State::Variable added;
      added.array = {group.name + "/" + variable.name, variable.type, state_->places[g][v], 1, {}};
      for (const int k : variable.dimensions) added.array.cells *= group.dimensions[static_cast<std::size_t>(k)].size;
      if (v >= asked.variables.size()) {
        state_->cells.write_coordinates(added.array);
        continue;
      }
      if (asked.chains > 0) added.chains = asked.chains, added.draws = asked.draws;
      added.entries = added.array.cells / (added.chains * added.draws);
      variables.emplace(variable.name, std::move(added));
    }
  }
}

InferenceDataWriter::InferenceDataWriter(InferenceDataWriter&&) noexcept = default;
InferenceDataWriter::~InferenceDataWriter() = default;

void InferenceDataWriter::write(std::string_view group, std::string_view variable, const DrawRange& range,
                                const StridedDraws& source) {
  State::Variable& to = state_->find(group, variable);
  TEMPERA_EXPECTS(range.first_chain >= 0 && range.chains >= 0 && range.first_chain + range.chains <= to.chains);
  TEMPERA_EXPECTS(range.first_draw >= 0 && range.draws >= 0 && range.first_draw + range.draws <= to.draws);
  if (range.chains == 0 || range.draws == 0) return;
  TEMPERA_EXPECTS(source.chain_stride >= 0 && source.draw_stride >= 0 &&
                  (range.chains - 1) * source.chain_stride + (range.draws - 1) * source.draw_stride + to.entries <=
                      std::ssize(source.values));
  for (Index c = 0; c < range.chains; ++c)
    state_->cells.write(to.array, ((range.first_chain + c) * to.draws + range.first_draw) * to.entries,
                        source.values.data() + c * source.chain_stride, range.draws, to.entries, source.draw_stride);
}

void InferenceDataWriter::write(std::string_view group, std::string_view variable, std::span<const double> values) {
  State::Variable& to = state_->find(group, variable);
  TEMPERA_EXPECTS(std::ssize(values) == to.array.cells);
  state_->cells.write(to.array, 0, values.data(), 1, to.array.cells, to.array.cells);
}

void InferenceDataWriter::commit() {
  for (auto& [group, variables] : state_->variables)
    for (auto& [name, variable] : variables) state_->cells.fill_gaps(variable.array);
  state_->output.commit();
}

}  // namespace tempera
