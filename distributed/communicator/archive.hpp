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

namespace tempera {

/// Who reads an archive: the same program at once, or another build of it years later (Boost's header then says which
/// library wrote it and how wide its integers are).
///
/// Messages do not go through Boost.MPI: it packs objects with int counts, which ends at 2 GiB; a binary archive of
/// bytes sent by our own operations does not.
enum class ArchiveUse : unsigned {
  message = boost::archive::no_header | boost::archive::no_codecvt,
  file = boost::archive::no_codecvt
};

/// Anything Boost.Serialization can write, as bytes of this architecture.
template <class T>
std::vector<std::byte> to_bytes(const T& object, ArchiveUse use = ArchiveUse::message) {
  std::vector<char> text;
  {
    boost::iostreams::stream_buffer<boost::iostreams::back_insert_device<std::vector<char>>> buffer(
        boost::iostreams::back_inserter(text));
    boost::archive::binary_oarchive archive(static_cast<std::streambuf&>(buffer), static_cast<unsigned>(use));
    archive << object;
  }
  const auto bytes = std::as_bytes(std::span<const char>(text));
  return {bytes.begin(), bytes.end()};
}

/// @throws boost::archive::archive_exception, for example when the bytes come from a newer version of a class
template <class T>
void from_bytes(std::span<const std::byte> bytes, T& object, ArchiveUse use = ArchiveUse::message) {
  boost::iostreams::stream_buffer<boost::iostreams::array_source> buffer(reinterpret_cast<const char*>(bytes.data()),
                                                                         bytes.size());
  boost::archive::binary_iarchive archive(static_cast<std::streambuf&>(buffer), static_cast<unsigned>(use));
  archive >> object;
}

}  // namespace tempera
