#pragma once

#include <cstdint>

#include "core/bayesopt/proposer.hpp"

namespace tempera {

/// Points that no result matters to. Points that were tried or are being tried come again only where a space has hardly any
/// others.

/// Independent points, uniform among those that may be tried.
class RandomProposer final : public Proposer {
 public:
  /// @param space  outlives this
  RandomProposer(const Space& space, std::uint64_t seed) : space_(space), seed_(seed) {}
  /// @throws Error{input} if no feasible point is found
  bool is_quick() const override { return true; }
  Proposal propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) override;

 private:
  const Space& space_;
  std::uint64_t seed_;
};

/// Scrambled Sobol points, those that may not be tried left out.
class SobolProposer final : public Proposer {
 public:
  /// @param space  outlives this
  SobolProposer(const Space& space, std::uint64_t seed) : space_(space), seed_(seed) {}
  /// @throws Error{input} if none of 2^20 points is feasible
  bool is_quick() const override { return true; }
  Proposal propose(Index number, std::span<const Trial> finished, std::span<const PendingTrial> pending) override;

 private:
  const Space& space_;
  std::uint64_t seed_;
};

}  // namespace tempera
