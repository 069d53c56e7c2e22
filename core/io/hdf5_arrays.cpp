#include "core/io/hdf5_arrays.hpp"

#include "core/io/detail/hdf5_handle.hpp"

namespace tempera {

namespace {

hid_t native_type(ArrayType type) {
  switch (type) {
    case ArrayType::float64: return H5T_NATIVE_DOUBLE;
    case ArrayType::int64: return H5T_NATIVE_INT64;
    case ArrayType::uint64: return H5T_NATIVE_UINT64;
  }
  return -1;
}

}  // namespace

std::vector<Index> create_hdf5_arrays(const std::filesystem::path& path, std::span<const ArraySpec> arrays) {
  double bytes = detail::kHdf5Overhead;
  for (const ArraySpec& array : arrays)
    bytes += 8 * static_cast<double>(array.rows) * static_cast<double>(array.columns);
  detail::Hdf5Output output(path, bytes, detail::Hdf5Medium::memory);
  std::vector<Index> offsets;
  for (const ArraySpec& array : arrays) {
    const Index shape[2] = {array.rows, array.columns};
    const detail::Hdf5Handle dataset = output.create_reserved_dataset(array.name, native_type(array.type), shape);
    const haddr_t offset = H5Dget_offset(dataset);
    offsets.push_back(offset == HADDR_UNDEF ? -1 : static_cast<Index>(offset));
    if (offsets.back() < 0 && array.rows > 0 && array.columns > 0) output.check(-1);
  }
  output.commit();
  return offsets;
}

}  // namespace tempera
