#pragma once

#include <span>

#include "core/base/index.hpp"

namespace tempera {

/// Words that some rank has to send or receive in one dense MTTKRP, however it is done: with P ranks that begin and end with
/// I/P cells and Σ I_n R/P factor entries each, and I R/P products on some rank,
///   min over x ≥ 0 of  x + N (I R/P) / (I/P + x)^(1 − 1/N)  −  Σ I_n R / P,
/// x being cells that it receives: the Hölder–Brascamp–Lieb inequality between what a rank knows of the cells and the
/// factors and the products it can make. Where no cell should move (x = 0) that is N R (I/P)^(1/N) − Σ I_n R / P. May be negative:
/// then it says nothing. It does not depend on the memory of a rank.
/// Ballard, Knight & Rouse 2018, "Communication lower bounds for matricized tensor times Khatri–Rao product", with the
/// constants kept.
double mttkrp_bound(std::span<const Index> shape, Index rank, int ranks);

}  // namespace tempera
