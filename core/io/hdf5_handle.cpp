#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "core/base/system_error.hpp"
#include "core/base/text.hpp"
#include "core/io/detail/block_checks.hpp"
#include "core/io/detail/hdf5_handle.hpp"
#include "core/io/detail/output_room.hpp"
#include "core/io/input_file.hpp"

namespace tempera::detail {

namespace {
constexpr std::size_t kListedObjects = 20;
constexpr int kListedDepth = 6;
constexpr std::size_t kChunkCacheBytes = std::size_t{16} << 20;
constexpr std::size_t kChunkCacheSlots = 12421;  // a prime, about 100 a chunk that fits, as the library advises

/// Paths of the datasets of a file, groups that hold `indices` and `values` as one.
void list_objects(hid_t group, const std::string& prefix, int depth, std::vector<std::string>& names) {
  H5G_info_t info;
  if (H5Gget_info(group, &info) < 0) return;
  for (hsize_t i = 0; i < info.nlinks && names.size() < kListedObjects; ++i) {
    const ssize_t length = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, nullptr, 0, H5P_DEFAULT);
    if (length <= 0) continue;
    std::string name(static_cast<std::size_t>(length) + 1, '\0');
    H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(), name.size(), H5P_DEFAULT);
    name.pop_back();
    const Hdf5Handle object(H5Oopen(group, name.c_str(), H5P_DEFAULT));
    if (!object) continue;
    const H5I_type_t type = H5Iget_type(object);
    const bool sparse = type == H5I_GROUP && H5Lexists(object, "indices", H5P_DEFAULT) > 0 &&
                        H5Lexists(object, "values", H5P_DEFAULT) > 0;
    if (type == H5I_DATASET || sparse)
      names.push_back(prefix + name);
    else if (type == H5I_GROUP && depth > 0)
      list_objects(object, prefix + name + "/", depth - 1, names);
  }
}

}  // namespace

bool Hdf5Handle::close() {
  if (id_ < 0) return true;
  const hid_t id = std::exchange(id_, -1);
  switch (H5Iget_type(id)) {
    case H5I_FILE: return H5Fclose(id) >= 0;
    case H5I_GROUP: return H5Gclose(id) >= 0;
    case H5I_DATASET: return H5Dclose(id) >= 0;
    case H5I_DATASPACE: return H5Sclose(id) >= 0;
    case H5I_DATATYPE: return H5Tclose(id) >= 0;
    case H5I_ATTR: return H5Aclose(id) >= 0;
    case H5I_GENPROP_LST: return H5Pclose(id) >= 0;
    default: return H5Idec_ref(id) >= 0;
  }
}

Hdf5Quiet::Hdf5Quiet() {
  H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Quiet::~Hdf5Quiet() {
  H5Eset_auto2(H5E_DEFAULT, function_, data_);
}

Hdf5Input::Hdf5Input(const std::filesystem::path& path) : path_(path) {
  check_input_file(path);
  file_ = Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  if (file_) return;
  if (H5Fis_hdf5(path.c_str()) > 0)
    throw Error(Category::input, path.string(), "the HDF5 file is damaged, cut short or being written",
                "copy it again; h5ls shows what can be read");
  throw Error(Category::input, path.string(), "is not an HDF5 file",
              "its name says .h5 or .hdf5; h5ls shows what can be read");
}

bool Hdf5Input::exists(const std::string& object) const {
  for (std::size_t slash = object.find('/', 1);; slash = object.find('/', slash + 1)) {
    if (H5Lexists(file_, object.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
    if (slash == std::string::npos) return H5Oexists_by_name(file_, object.c_str(), H5P_DEFAULT) > 0;
  }
}

bool Hdf5Input::is_group(const std::string& object) const {
  const Hdf5Handle handle(H5Oopen(file_, object.c_str(), H5P_DEFAULT));
  return handle && H5Iget_type(handle) == H5I_GROUP;
}

Error Hdf5Input::error(const std::string& object, const std::string& what, const std::string& hint) const {
  return Error(Category::input, path_.string() + ":" + object, what, hint);
}

Error Hdf5Input::missing(const std::string& object) const {
  std::vector<std::string> names;
  list_objects(file_, "/", kListedDepth, names);
  const std::string more = names.size() >= kListedObjects ? " …" : "";
  return error(object, "the HDF5 file has no such dataset",
               names.empty() ? "it holds no datasets at all"
                             : fmt::format("name one as FILE.h5:/PATH; it holds {}{}", fmt::join(names, " "), more));
}

Hdf5Handle Hdf5Input::open_dataset(const std::string& object) const {
  if (!exists(object) || is_group(object)) throw missing(object);
  const Hdf5Handle access(H5Pcreate(H5P_DATASET_ACCESS));
  H5Pset_chunk_cache(access, kChunkCacheSlots, kChunkCacheBytes, 1.0);
  Hdf5Handle dataset(H5Dopen2(file_, object.c_str(), access));
  if (!dataset) throw error(object, "is not a dataset", "h5ls shows what the file holds");
  return dataset;
}

void Hdf5Input::read(hid_t dataset, const std::string& object, hid_t type, hid_t memory, hid_t space,
                     void* data) const {
  if (H5Dread(dataset, type, memory, space, H5P_DEFAULT, data) < 0)
    throw error(object, "the HDF5 library cannot read the data",
                "the file is damaged, or compressed with a filter that is not installed");
}

void Hdf5Input::check_written(hid_t dataset, const std::string& object, Completeness wanted) const {
  const Hdf5Handle type(H5Dget_type(dataset)), layout(H5Dget_create_plist(dataset));
  // The data of these lie in other files.
  if (H5Pget_layout(layout) == H5D_VIRTUAL || H5Pget_external_count(layout) > 0) return;
  double claimed = static_cast<double>(H5Tget_size(type));  // the product may exceed 64 bits
  for (const Index size : hdf5_shape(dataset)) claimed *= static_cast<double>(static_cast<hsize_t>(size));
  const double stored = static_cast<double>(H5Dget_storage_size(dataset));
  const bool compressed = H5Pget_nfilters(layout) > 0;
  const double least = wanted == Completeness::whole && !compressed ? claimed : 1;
  if (claimed == 0 || stored >= least) return;
  throw error(object,
              fmt::format("{} ever written to this dataset ({})",
                          stored == 0 ? "nothing was"
                                      : fmt::format("only {} of {} were", human_bytes(stored), human_bytes(claimed)),
                          fmt::join(hdf5_shape(dataset), " x ")),
              "the program that made the file did not finish; write it again");
}

std::vector<Index> Hdf5Input::read_integers(const std::string& object, Index most) const {
  const Hdf5Handle dataset = open_dataset(object);
  const auto shape = hdf5_shape(dataset);
  if (shape.size() != 1 || !is_hdf5_number(dataset, true))
    throw error(object, "is not a list of integers", "store it as a one-dimensional int64 dataset");
  if (shape[0] < 0 || shape[0] > most)
    throw error(object,
                fmt::format("is a list of {} integers, at most {} are expected", static_cast<hsize_t>(shape[0]), most),
                "it holds one size a mode");
  std::vector<Index> values(static_cast<std::size_t>(shape[0]));
  read(dataset, object, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, values.data());
  return values;
}

std::vector<double> Hdf5Input::read_reals(const std::string& object) const {
  const Hdf5Handle dataset = open_dataset(object);
  const auto shape = hdf5_shape(dataset);
  if (shape.size() != 1 || !is_hdf5_number(dataset, false))
    throw error(object, "is not a list of numbers", "store it as a one-dimensional float64 dataset");
  check_written(dataset, object, Completeness::whole);
  check_block_memory(path_.string() + ":" + object, 8 * static_cast<double>(shape[0]));
  std::vector<double> values(static_cast<std::size_t>(shape[0]));
  read(dataset, object, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, values.data());
  return values;
}

// A file that the library cannot close, because what it caches does not fit the disk, brings the process down at exit.
// So the descriptor is pointed at memory, where the last writes (of bounded caches) succeed.
int point_at_memory(hid_t file) {
  void* handle = nullptr;
  if (file < 0 || H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) < 0) return -1;
  const int memory = ::memfd_create("hdf5", MFD_CLOEXEC);
  if (memory >= 0) ::dup2(memory, *static_cast<int*>(handle));
  return memory;
}

/// The library resolves links, so it cannot open memory by a name.
int move_to_memory(hid_t file, const std::filesystem::path& name) {
  const int memory = point_at_memory(file);
  if (memory < 0) return -1;
  const int begun = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
  const int problem = begun < 0 ? errno : copy_data(begun, memory);
  if (begun >= 0) ::close(begun);
  if (problem == 0) return memory;
  ::close(memory);
  errno = problem;
  return -1;
}

Hdf5Output::Hdf5Output(const std::filesystem::path& path, double bytes, Hdf5Medium medium) : output_(path) {
  // The limit of sizes holds for the memory of abandon() too, so running into it could not be mended afterwards.
  check_room(output_, bytes);
  errno = 0;
  file_ = Hdf5Handle(H5Fcreate(output_.temporary().c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  check(file_);
  if (medium == Hdf5Medium::memory) check(memory_ = move_to_memory(file_, output_.temporary()));
}

Hdf5Output::~Hdf5Output() {
  abandon();
  if (memory_ >= 0) ::close(memory_);
}

void Hdf5Output::check(long long code) const {
  if (code >= 0) return;
  const int reason = errno != 0 ? errno : EIO;
  abandon();
  throw write_error(output_.destination(), reason);
}

void Hdf5Output::abandon() const {
  if (const int memory = point_at_memory(file_); memory >= 0) ::close(memory);
}

// What the library writes between a flush and the end is the superblock once more, so that is brought from the memory.
void Hdf5Output::close() {
  constexpr std::size_t kLargestSuperblock = 96;
  errno = 0;
  const int memory = point_at_memory(file_);
  std::array<char, kLargestSuperblock + 1> bytes{};
  const bool closed = memory >= 0 && file_.close();
  const ssize_t count = closed ? ::pread(memory, bytes.data(), bytes.size(), 0) : -1;
  int problem = count < 0 && errno != 0 ? errno : EIO;
  if (memory >= 0) ::close(memory);
  if (count >= 0 && count <= static_cast<ssize_t>(kLargestSuperblock)) {
    const int file = ::open(output_.temporary().c_str(), O_WRONLY | O_CLOEXEC);
    problem = file < 0 ? errno : write_all(file, {bytes.data(), static_cast<std::size_t>(count)});
    if (file >= 0 && ::close(file) != 0 && problem == 0) problem = errno;
  }
  if (problem != 0) throw write_error(output_.destination(), problem);
}

void Hdf5Output::flush() const {
  errno = 0;
  check(H5Fflush(file_, H5F_SCOPE_GLOBAL));
}

Hdf5Handle Hdf5Output::create_group(const std::string& object) const {
  errno = 0;
  const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(links, 1);
  Hdf5Handle group(H5Gcreate2(file_, object.c_str(), links, H5P_DEFAULT, H5P_DEFAULT));
  check(group);
  return group;
}

Hdf5Handle Hdf5Output::create_dataset(const std::string& object, hid_t type, std::span<const Index> shape,
                                      std::span<const Index> chunk) const {
  const Hdf5Handle layout(H5Pcreate(H5P_DATASET_CREATE));
  errno = 0;
  if (!chunk.empty()) check(H5Pset_chunk(layout, static_cast<int>(chunk.size()), hdf5_sizes(chunk).data()));
  return make_dataset(object, type, shape, layout);
}

Hdf5Handle Hdf5Output::create_reserved_dataset(const std::string& object, hid_t type,
                                               std::span<const Index> shape) const {
  const Hdf5Handle layout(H5Pcreate(H5P_DATASET_CREATE));
  errno = 0;
  check(H5Pset_alloc_time(layout, H5D_ALLOC_TIME_EARLY));
  check(H5Pset_fill_time(layout, H5D_FILL_TIME_NEVER));
  return make_dataset(object, type, shape, layout);
}

Hdf5Handle Hdf5Output::make_dataset(const std::string& object, hid_t type, std::span<const Index> shape,
                                    hid_t layout) const {
  errno = 0;
  const Hdf5Handle links(H5Pcreate(H5P_LINK_CREATE)), access(H5Pcreate(H5P_DATASET_ACCESS));
  H5Pset_create_intermediate_group(links, 1);
  H5Pset_chunk_cache(access, kChunkCacheSlots, kChunkCacheBytes, 1.0);
  const Hdf5Handle space(H5Screate_simple(static_cast<int>(shape.size()), hdf5_sizes(shape).data(), nullptr));
  H5Pset_obj_track_times(layout, false);  // equal results are equal bytes
  Hdf5Handle dataset(H5Dcreate2(file_, object.c_str(), type, space, links, layout, access));
  check(dataset);
  return dataset;
}

void Hdf5Output::write_rows(hid_t dataset, hid_t type, std::span<const Index> first, std::span<const Index> count,
                            const void* data) const {
  errno = 0;
  const Hdf5Handle space(H5Dget_space(dataset));
  const Hdf5Handle memory(H5Screate_simple(static_cast<int>(count.size()), hdf5_sizes(count).data(), nullptr));
  check(
      H5Sselect_hyperslab(space, H5S_SELECT_SET, hdf5_sizes(first).data(), nullptr, hdf5_sizes(count).data(), nullptr));
  check(H5Dwrite(dataset, type, memory, space, H5P_DEFAULT, data));
}

void Hdf5Output::write_attribute(hid_t object, const char* name, std::span<const Index> values) const {
  errno = 0;
  const hsize_t length = values.size();
  const Hdf5Handle space(H5Screate_simple(1, &length, nullptr));
  const Hdf5Handle attribute(H5Acreate2(object, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT));
  check(attribute);
  check(H5Awrite(attribute, H5T_NATIVE_INT64, values.data()));
}

void Hdf5Output::write_attribute(hid_t object, const char* name, Index value) const {
  errno = 0;
  const Hdf5Handle space(H5Screate(H5S_SCALAR));
  const Hdf5Handle attribute(H5Acreate2(object, name, H5T_STD_I64LE, space, H5P_DEFAULT, H5P_DEFAULT));
  check(attribute);
  check(H5Awrite(attribute, H5T_NATIVE_INT64, &value));
}

void Hdf5Output::commit() {
  flush();
  if (memory_ < 0) {
    close();
  } else {
    errno = 0;
    check(file_.close() ? 0 : -1);
    if (const int problem = copy_data(memory_, output_.temporary()); problem != 0)
      throw write_error(output_.destination(), problem);
  }
  output_.commit();
}

std::vector<hsize_t> hdf5_sizes(std::span<const Index> sizes) {
  return {sizes.begin(), sizes.end()};
}

std::vector<Index> hdf5_shape(hid_t dataset) {
  const Hdf5Handle space(H5Dget_space(dataset));
  const int order = std::max(H5Sget_simple_extent_ndims(space), 0);
  std::vector<hsize_t> sizes(static_cast<std::size_t>(order));
  H5Sget_simple_extent_dims(space, sizes.data(), nullptr);
  return {sizes.begin(), sizes.end()};
}

bool is_hdf5_number(hid_t dataset, bool integers_only) {
  const Hdf5Handle type(H5Dget_type(dataset));
  const H5T_class_t kind = H5Tget_class(type);
  return kind == H5T_INTEGER || (kind == H5T_FLOAT && !integers_only);
}

void for_each_slab(std::span<const Index> extents, Index most_cells,
                   const std::function<void(std::span<const Index>, std::span<const Index>)>& visit) {
  const std::size_t order = extents.size();
  if (std::find(extents.begin(), extents.end(), 0) != extents.end()) return;
  // Modes after `split` are taken whole, `split` in steps, those before it one index at a time.
  Index inner = 1;
  std::size_t split = order - 1;
  while (split > 0 && inner * extents[split] <= most_cells) inner *= extents[split--];
  const Index step = std::clamp<Index>(most_cells / inner, 1, extents[split]);
  std::vector<Index> first(order, 0), count(order, 1);
  std::copy(extents.begin() + static_cast<std::ptrdiff_t>(split), extents.end(),
            count.begin() + static_cast<std::ptrdiff_t>(split));
  for (;;) {
    count[split] = std::min(step, extents[split] - first[split]);
    visit(first, count);
    first[split] += count[split];
    for (std::size_t mode = split; first[mode] >= extents[mode]; --mode) {
      if (mode == 0) return;
      first[mode] = 0;
      ++first[mode - 1];
    }
  }
}

}  // namespace tempera::detail
