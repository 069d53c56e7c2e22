#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tempera::detail {

/// One run of `collectively` on a channel, named alike on all its ranks.
struct ScopeKey {
  std::uint64_t channel = 0;
  std::uint64_t instance = 0;
  auto operator<=>(const ScopeKey&) const = default;
};

enum class Outcome : std::uint8_t {
  left,          ///< unwound because of another rank of the domain
  left_outside,  ///< unwound because of a rank of another domain, whose scope lies further out
  error          ///< threw an error of its own
};

/// How far a rank has come on a channel when it leaves a scope.
struct ChannelState {
  std::uint64_t id = 0;
  std::uint64_t entered = 0;  ///< arrivals
  std::uint64_t scopes_opened = 0;
  bool buried = false;  ///< no Communicator refers to it any more
};

/// Messages with objects that a rank has sent to the receiver of the notice since the channel was made.
struct ObjectCount {
  std::uint64_t channel = 0;
  int tag = 0;
  std::uint64_t messages = 0;
};

/// What a rank tells every other rank of a scope, once, when it leaves the scope by an exception.
///
/// Since nobody gets out of a failed scope without having sent its notice, the notices of all ranks together are the
/// agreement: they name the error to throw and say which operations are unfinished.
struct Notice {
  ScopeKey scope;
  Outcome outcome = Outcome::left;
  int category = 0;
  std::string where, what, hint;
  std::vector<ChannelState> channels;
  std::vector<ObjectCount> objects;

  /// Null if the rank did not know the channel.
  const ChannelState* find(std::uint64_t channel) const;
};

std::vector<std::byte> encode(const Notice& notice);
Notice decode_notice(std::span<const std::byte> bytes);

}  // namespace tempera::detail
