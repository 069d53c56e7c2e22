#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace tempera {

/// Streaming SHA-256. A trivially copyable value: a copy goes on where the original stands, also in another process of
/// the same architecture, so MPI ranks can hash consecutive byte ranges of one file in a chain.
class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  /// Digest of all bytes so far as 64 lower-case hexadecimal digits; more may be added afterwards.
  std::string hex() const;

 private:
  static constexpr std::size_t kStateBytes = 112;  // OpenSSL's SHA256_CTX
  alignas(8) std::array<std::byte, kStateBytes> state_;
};

/// Digest of a whole file. @throws Error{input} naming the file if it cannot be read
std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace tempera
