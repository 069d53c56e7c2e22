#pragma once

#include <boost/archive/binary_iarchive.hpp>
#include <boost/archive/binary_oarchive.hpp>
#include <boost/iostreams/device/array.hpp>
#include <boost/iostreams/device/back_inserter.hpp>
#include <boost/iostreams/stream_buffer.hpp>
#include <boost/serialization/string.hpp>
#include <boost/serialization/vector.hpp>
#include <cstddef>
#include <span>
#include <vector>

namespace tempera::detail {

// Boost.MPI packs objects with int counts, which ends at 2 GiB; a binary archive of bytes sent by our own operations
// does not.
constexpr unsigned kArchiveFlags = boost::archive::no_header | boost::archive::no_codecvt;

template <class T>
std::vector<std::byte> to_bytes(const T& object) {
  std::vector<char> text;
  {
    boost::iostreams::stream_buffer<boost::iostreams::back_insert_device<std::vector<char>>> buffer(
        boost::iostreams::back_inserter(text));
    boost::archive::binary_oarchive archive(static_cast<std::streambuf&>(buffer), kArchiveFlags);
    archive << object;
  }
  const auto bytes = std::as_bytes(std::span<const char>(text));
  return {bytes.begin(), bytes.end()};
}

template <class T>
void from_bytes(std::span<const std::byte> bytes, T& object) {
  boost::iostreams::stream_buffer<boost::iostreams::array_source> buffer(reinterpret_cast<const char*>(bytes.data()),
                                                                         bytes.size());
  boost::archive::binary_iarchive archive(static_cast<std::streambuf&>(buffer), kArchiveFlags);
  archive >> object;
}

}  // namespace tempera::detail
