#pragma once

#include <boost/archive/binary_iarchive_impl.hpp>
#include <boost/archive/detail/register_archive.hpp>
#include <boost/iostreams/device/array.hpp>
#include <boost/iostreams/stream_buffer.hpp>
#include <boost/serialization/version.hpp>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <streambuf>
#include <string>
#include <type_traits>
#include <typeinfo>
#include <vector>

#include "distributed/communicator/archive.hpp"

namespace tempera::detail {

/// Something inside an object is of a newer version than this program knows; what() names both.
struct NewerVersion : std::runtime_error {
  using runtime_error::runtime_error;
};
std::string newer_version_text(unsigned written, unsigned known, const char* type = nullptr);

/// Reads what binary_oarchive has written, and refuses every class of a newer version, however deep it lies: Boost
/// leaves that to each serialize function, most of which would read nonsense.
class ObjectArchive : public boost::archive::binary_iarchive_impl<ObjectArchive, char, std::char_traits<char>> {
  using Base = boost::archive::binary_iarchive_impl<ObjectArchive, char, std::char_traits<char>>;

 public:
  explicit ObjectArchive(std::streambuf& buffer) : Base(buffer, static_cast<unsigned>(ArchiveUse::file)) {
    init(static_cast<unsigned>(ArchiveUse::file));
  }

 private:
  friend class boost::archive::detail::interface_iarchive<ObjectArchive>;
  friend class boost::archive::basic_binary_iarchive<ObjectArchive>;
  friend class boost::archive::load_access;

  struct Known {
    unsigned version;
    const char* type;  // null where the class behind a pointer is known at run time only
  };

  template <class T>
  static Known known() {
    using Class = std::remove_pointer_t<T>;
    if constexpr (std::is_pointer_v<T> && std::is_polymorphic_v<Class>) return {0, nullptr};
    return {boost::serialization::version<Class>::value, typeid(Class).name()};
  }

  // The version of a class stands before the content of its first object, so it belongs to the innermost one.
  template <class T>
  void load_override(T& value) {
    open_.push_back(known<T>());
    Base::load_override(value);
    open_.pop_back();
  }
  void load_override(boost::archive::version_type& version);

  std::vector<Known> open_;
};

/// @throws NewerVersion, or boost::archive::archive_exception and others where the bytes are no T
template <class T>
void load_object(std::span<const std::byte> bytes, T& object) {
  boost::iostreams::stream_buffer<boost::iostreams::array_source> buffer(reinterpret_cast<const char*>(bytes.data()),
                                                                         bytes.size());
  ObjectArchive archive(buffer);
  archive >> object;
  if (buffer.sgetc() != std::char_traits<char>::eof()) throw std::runtime_error("it is longer than expected");
}

}  // namespace tempera::detail

BOOST_SERIALIZATION_REGISTER_ARCHIVE(tempera::detail::ObjectArchive)
BOOST_SERIALIZATION_USE_ARRAY_OPTIMIZATION(tempera::detail::ObjectArchive)
