#pragma once

#include <boost/serialization/string.hpp>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "core/base/contract.hpp"
#include "distributed/communicator/archive.hpp"

namespace tempera {

/// Anything Boost.Serialization can write, as bytes for a Courier, an order or a result, and back.
template <class T>
std::string to_blob(const T& object) {
  const auto bytes = to_bytes(object);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
/// @throws boost::archive::archive_exception
template <class T>
T from_blob(const std::string& blob) {
  T object;
  from_bytes(std::as_bytes(std::span(blob)), object);
  return object;
}

/// One of several kinds: a byte says which, then comes its blob.
template <class... Kinds>
std::string to_tagged_blob(const std::variant<Kinds...>& object) {
  return static_cast<char>(object.index()) + std::visit([](const auto& content) { return to_blob(content); }, object);
}
/// @param T  the variant that was written
template <class T>
T from_tagged_blob(const std::string& blob) {
  const auto kind = static_cast<std::size_t>(blob.at(0));
  const std::string content = blob.substr(1);
  T object;
  const bool known = [&]<std::size_t... Kinds>(std::index_sequence<Kinds...>) {
    return ((kind == Kinds &&
             (object.template emplace<Kinds>(from_blob<std::variant_alternative_t<Kinds, T>>(content)), true)) ||
            ...);
  }
  (std::make_index_sequence<std::variant_size_v<T>>());
  TEMPERA_EXPECTS(known);
  static_cast<void>(known);
  return object;
}

}  // namespace tempera
