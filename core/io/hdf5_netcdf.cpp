#include <fmt/format.h>
#include <netcdf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/base/contract.hpp"
#include "core/base/system_error.hpp"
#include "core/io/detail/hdf5_handle.hpp"
#include "core/io/detail/netcdf_file.hpp"
#include "core/io/detail/output_room.hpp"

namespace tempera::detail {

namespace {
using Type = InferenceVariable::Type;

constexpr double kBytesPerObject = 4096;  // more than a dimension, a variable or a group takes beside its data
constexpr std::size_t kOpenFiles = 64;    // at most so many are looked at

nc_type netcdf_type(Type type) {
  return type == Type::float64 ? NC_DOUBLE : type == Type::int64 ? NC_INT64 : NC_BYTE;
}

double data_bytes(const NetcdfGroup& group, const NetcdfVariable& variable) {
  double bytes = variable.type == Type::boolean ? 1 : 8;
  for (const int dimension : variable.dimensions)
    bytes *= static_cast<double>(group.dimensions[static_cast<std::size_t>(dimension)].size);
  return bytes;
}

/// The HDF5 library's own identifier of a file that another library opened through it, or −1.
hid_t open_file(const std::filesystem::path& name) {
  struct stat wanted {};
  if (::stat(name.c_str(), &wanted) != 0) return -1;
  std::array<hid_t, kOpenFiles> files{};
  const ssize_t count = H5Fget_obj_ids(H5F_OBJ_ALL, H5F_OBJ_FILE, files.size(), files.data());
  for (const hid_t file : std::span(files).first(static_cast<std::size_t>(std::max<ssize_t>(count, 0)))) {
    void* handle = nullptr;
    struct stat found {};
    if (H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 && ::fstat(*static_cast<int*>(handle), &found) == 0 &&
        found.st_dev == wanted.st_dev && found.st_ino == wanted.st_ino)
      return file;
  }
  return -1;
}

/// The structure of a file: made by the library in memory, where it cannot run out of disk, then copied.
class Structure {
 public:
  explicit Structure(const AtomicFile& output) : output_(output), file_(create()) {
    hdf5_ = open_file(output.temporary());
    if (hdf5_ < 0) {
      nc_close(file_);
      throw Error(Category::environment, output.destination().string(),
                  "cannot be written: the NetCDF library stands on another HDF5 library than Tempera",
                  "build against the NetCDF library of the MPI variant of HDF5 (see cluster/README.md)");
    }
    errno = 0;
    memory_ = move_to_memory(hdf5_, output.temporary());
    if (memory_ >= 0) return;
    const int problem = errno != 0 ? errno : EIO;
    nc_close(file_);
    throw write_error(output.destination(), problem);
  }
  Structure(const Structure&) = delete;
  Structure& operator=(const Structure&) = delete;
  ~Structure() {
    if (file_ >= 0) nc_close(file_);
    ::close(memory_);
  }

  int file() const { return file_; }
  void check(int code) const {
    if (code > 0) throw write_error(output_.destination(), code);
    if (code < 0)
      throw Error(Category::environment, output_.destination().string(),
                  fmt::format("cannot be written: {}", nc_strerror(code)));
  }

  void write_attribute(int group, int variable, const InferenceAttribute& attribute) const {
    const char* name = attribute.name.c_str();
    if (const auto* text = std::get_if<std::string>(&attribute.value)) {
      check(nc_put_att_text(group, variable, name, text->size(), text->data()));
    } else if (const auto* real = std::get_if<double>(&attribute.value)) {
      check(nc_put_att_double(group, variable, name, NC_DOUBLE, 1, real));
    } else {
      const long long integer = std::get<Index>(attribute.value);
      check(nc_put_att_longlong(group, variable, name, NC_INT64, 1, &integer));
    }
  }

  /// Identifiers of the group and of its variables.
  std::pair<int, std::vector<int>> define(const NetcdfGroup& group) const {
    int id = -1;
    check(nc_def_grp(file_, group.name.c_str(), &id));
    for (const InferenceAttribute& attribute : group.attributes) write_attribute(id, NC_GLOBAL, attribute);
    std::vector<int> dimensions, variables;
    for (const NetcdfDimension& dimension : group.dimensions) {
      TEMPERA_EXPECTS(dimension.size > 0);  // 0 would mean: without limit
      check(nc_def_dim(id, dimension.name.c_str(), static_cast<std::size_t>(dimension.size),
                       &dimensions.emplace_back(-1)));
    }
    for (const NetcdfVariable& variable : group.variables) {
      std::vector<int> own;
      for (const int dimension : variable.dimensions) own.push_back(dimensions[static_cast<std::size_t>(dimension)]);
      int& made = variables.emplace_back(-1);
      check(nc_def_var(id, variable.name.c_str(), netcdf_type(variable.type), static_cast<int>(own.size()), own.data(),
                       &made));
      if (!own.empty()) check(nc_def_var_chunking(id, made, NC_CONTIGUOUS, nullptr));
      check(nc_def_var_fill(id, made, NC_NOFILL, nullptr));
      if (variable.type == Type::boolean) write_attribute(id, made, {"dtype", "bool"});
    }
    return {id, variables};
  }

  /// Gives a variable its place in the file, which takes a first cell, and returns where it begins.
  Index place(int group, int variable, std::size_t order) const {
    const std::vector<std::size_t> first(order, 0);
    const double zero = 0;
    check(nc_put_var1_double(group, variable, first.data(), &zero));
    std::array<char, NC_MAX_NAME + 1> group_name{}, name{};  // as the library keeps them: in a normal form of Unicode
    check(nc_inq_grpname(group, group_name.data()));
    check(nc_inq_varname(group, variable, name.data()));
    const Hdf5Handle dataset(
        H5Dopen2(hdf5_, fmt::format("/{}/{}", group_name.data(), name.data()).c_str(), H5P_DEFAULT));
    const haddr_t offset = dataset ? H5Dget_offset(dataset) : HADDR_UNDEF;
    if (offset == HADDR_UNDEF) throw write_error(output_.destination(), EIO);
    return static_cast<Index>(offset);
  }

  void finish() {
    check(nc_close(std::exchange(file_, -1)));
    struct stat made {};
    check(::fstat(memory_, &made) == 0 ? 0 : errno);
    check_room(output_, static_cast<double>(made.st_size));
    check(copy_data(memory_, output_.temporary()));
  }

 private:
  int create() const {
    int file = -1;
    check(nc_create(output_.temporary().c_str(), NC_NETCDF4 | NC_CLOBBER, &file));
    return file;
  }

  const AtomicFile& output_;
  int file_ = -1;
  Hdf5Quiet quiet_;  // after the first file of the process: then the library itself has set what holds afterwards
  hid_t hdf5_ = -1;  // the library's, not to be closed here
  int memory_ = -1;
};

}  // namespace

std::vector<std::vector<Index>> create_netcdf(const AtomicFile& output, std::span<const NetcdfGroup> groups,
                                              std::span<const InferenceAttribute> attributes) {
  double bytes = kHdf5Overhead;
  for (const NetcdfGroup& group : groups) {
    bytes += kBytesPerObject * static_cast<double>(1 + group.dimensions.size() + group.variables.size());
    for (const NetcdfVariable& variable : group.variables) bytes += data_bytes(group, variable);
  }
  check_room(output, bytes);
  Structure structure(output);
  for (const InferenceAttribute& attribute : attributes)
    structure.write_attribute(structure.file(), NC_GLOBAL, attribute);
  std::vector<std::pair<int, std::vector<int>>> made;
  for (const NetcdfGroup& group : groups) made.push_back(structure.define(group));
  structure.check(nc_enddef(structure.file()));
  std::vector<std::vector<Index>> places;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    auto& of_group = places.emplace_back();
    for (std::size_t v = 0; v < groups[g].variables.size(); ++v)
      of_group.push_back(structure.place(made[g].first, made[g].second[v], groups[g].variables[v].dimensions.size()));
  }
  structure.finish();
  return places;
}

}  // namespace tempera::detail
