#pragma once

#include <type_traits>
#include <utility>

#include "core/base/error.hpp"
#include "distributed/communicator/communicator.hpp"

namespace tempera {

namespace detail {

/// Seam between the template below and the agreement in scope.cpp.
class CollectiveScope {
 public:
  explicit CollectiveScope(Channel& channel);
  ~CollectiveScope();
  CollectiveScope(const CollectiveScope&) = delete;
  CollectiveScope& operator=(const CollectiveScope&) = delete;
  void finish();
  [[noreturn]] void fail();

 private:
  std::unique_ptr<class Scope> scope_;
};

}  // namespace detail

/// Runs `body` on every rank of the communicator and returns what it returns; if the body throws on any rank, throws
/// the same Error on all ranks. Collective.
///
/// - The error of the lowest failing rank wins. Other exceptions than Error are turned into one
///   (current_exception_as_error). Ranks that wait for a failing rank, in any operation of the domain, stop waiting.
/// - Afterwards all communicators whose ranks all belong to `communicator` are clean: the program may catch the Error
///   and go on with them.
/// - Scopes nest. An error in the scope of a group (split, split_independent) is agreed in the group; if it is not
///   caught there it is an error of the body around, on every rank of the group. Catch it inside and the rest of the
///   ranks never learn of it; then the body must not have used a larger communicator.
/// - A body must not swallow exceptions with `catch (...)`: ranks leave by an exception that is no std::exception.
///
/// Cost on success: one exchange of small messages in ⌈log2 P⌉ steps. On failure each rank sends one message to each
/// other.
template <class Body>
auto collectively(const Communicator& communicator, Body&& body) {
  const std::shared_ptr<detail::Channel> keep = communicator.channel_;
  detail::CollectiveScope scope(*keep);
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
      std::forward<Body>(body)();
      scope.finish();
    } else {
      auto result = std::forward<Body>(body)();
      scope.finish();
      return result;
    }
  } catch (...) {
    scope.fail();
  }
}

}  // namespace tempera
