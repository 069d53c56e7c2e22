// The one-call interface of OpenSSL 3 hides its state; only this older one can be copied to another process.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/base/sha256.hpp"

#include <fmt/format.h>
#include <openssl/sha.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <type_traits>
#include <vector>

#include "core/base/error.hpp"

namespace tempera {

namespace {

template <std::size_t N>
SHA256_CTX load(const std::array<std::byte, N>& state) {
  static_assert(N == sizeof(SHA256_CTX) && std::is_trivially_copyable_v<SHA256_CTX>);
  SHA256_CTX context;
  std::memcpy(&context, state.data(), N);
  return context;
}

}  // namespace

Sha256::Sha256() {
  static_assert(std::is_trivially_copyable_v<Sha256>);
  SHA256_CTX context{};
  SHA256_Init(&context);
  std::memcpy(state_.data(), &context, sizeof context);
}

void Sha256::update(std::span<const std::byte> bytes) {
  SHA256_CTX context = load(state_);
  SHA256_Update(&context, bytes.data(), bytes.size());
  std::memcpy(state_.data(), &context, sizeof context);
}

std::string Sha256::hex() const {
  SHA256_CTX context = load(state_);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256_Final(digest.data(), &context);
  std::string text;
  for (const unsigned char byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string sha256_of_file(const std::filesystem::path& file) {
  const auto fail = [&] {
    throw Error(Category::input, file.string(),
                fmt::format("cannot be read: {}", std::generic_category().message(errno)));
  };
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) fail();
  Sha256 hash;
  std::vector<char> block(1 << 20);
  do {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    hash.update(std::as_bytes(std::span(block.data(), static_cast<std::size_t>(stream.gcount()))));
  } while (stream);
  if (stream.bad()) fail();
  return hash.hex();
}

}  // namespace tempera
