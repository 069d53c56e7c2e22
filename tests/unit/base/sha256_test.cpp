#include "core/base/sha256.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "core/base/error.hpp"
#include "tests/support/data.hpp"

namespace tempera {
namespace {

std::span<const std::byte> bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string digest(const std::string& text) {
  Sha256 hash;
  hash.update(bytes(text));
  return hash.hex();
}

// FIPS 180-2, appendix B, and the empty message.
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kMillion = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(digest(""), kEmpty);
  EXPECT_EQ(digest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(digest(std::string(1000000, 'a')), kMillion);
}

TEST(Sha256, ACopyOfTheStateGoesOnInAChainCutAnywhere) {
  const std::string text(1000000, 'a');
  for (const std::size_t piece : {std::size_t{1001}, std::size_t{65536}, std::size_t{999999}}) {
    Sha256 hash;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      std::array<std::byte, sizeof(Sha256)> message;
      std::memcpy(message.data(), &hash, sizeof hash);
      Sha256 next;
      std::memcpy(static_cast<void*>(&next), message.data(), sizeof next);
      next.update(bytes(text).subspan(at, std::min(piece, text.size() - at)));
      hash = next;
    }
    EXPECT_EQ(hash.hex(), kMillion) << piece;
    EXPECT_EQ(hash.hex(), kMillion) << "asking for the digest does not change the state";
  }
}

TEST(Sha256, OfAFileIsThatOfItsBytes) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(sha256_of_file(test::write_text(folder / "million", std::string(1000000, 'a'))), kMillion);
  EXPECT_EQ(sha256_of_file(test::write_text(folder / "empty", "")), kEmpty);
  try {
    sha256_of_file("/nowhere/file");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "tempera: error: /nowhere/file: cannot be read: No such file or directory");
  }
}

}  // namespace
}  // namespace tempera
