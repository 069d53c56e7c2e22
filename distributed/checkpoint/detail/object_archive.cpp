#include "distributed/checkpoint/detail/object_archive.hpp"

#include <fmt/format.h>

#include <boost/archive/impl/archive_serializer_map.ipp>
#include <boost/archive/impl/basic_binary_iarchive.ipp>
#include <boost/archive/impl/basic_binary_iprimitive.ipp>
#include <boost/core/demangle.hpp>

template class boost::archive::detail::archive_serializer_map<tempera::detail::ObjectArchive>;
template class boost::archive::basic_binary_iarchive<tempera::detail::ObjectArchive>;
template class boost::archive::basic_binary_iprimitive<tempera::detail::ObjectArchive, char, std::char_traits<char>>;

namespace tempera::detail {

std::string newer_version_text(unsigned written, unsigned known, const char* type) {
  return fmt::format("version {}{}, this program knows up to version {}", written,
                     type == nullptr ? "" : " of " + boost::core::demangle(type), known);
}

void ObjectArchive::load_override(boost::archive::version_type& version) {
  Base::load_override(version);
  if (open_.empty() || open_.back().type == nullptr) return;
  const auto written = static_cast<unsigned>(version);
  const auto [known, type] = open_.back();
  if (written > known) throw NewerVersion(newer_version_text(written, known, type));
}

}  // namespace tempera::detail
