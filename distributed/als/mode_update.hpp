#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/factorization/constraint.hpp"
#include "core/factorization/row_sums.hpp"
#include "core/tensor/gram.hpp"
#include "distributed/als/column_exchange.hpp"
#include "distributed/als/held_rows.hpp"

namespace tempera {

/// Where the way of solving one mode's subproblem had to be careful.
struct SolveHealth {
  bool damped = false;
  bool pseudo_inverse = false;
};

/// One mode's subproblem with its constraint, over the ranks: finds the rows U that minimise
///   ½‖X_(n) − U diag(w) Kᵀ‖² + half the penalties,  K the Khatri–Rao product of the other modes.
/// Holds the ADMM duals, which are state of the run.
class ModeUpdate {
 public:
  /// @param threads  for the rows; no bit of a result depends on it
  /// Collective. @pre layout outlives this object
  ModeUpdate(const Communicator& ranks, const RowLayout& layout, Index size, Index rank, const Constraint& constraint,
             Solver solver, int threads = 1);

  const Constraint& constraint() const { return constraint_; }
  const HeldRows& held() const { return held_; }
  bool uses_admm() const { return method_ == Method::admm; }
  static bool solved_by_admm(const Constraint& constraint, Solver solver) {
    return method_for(constraint, solver) == Method::admm;
  }
  /// ρ times the scaled duals of the held rows; no rows unless ADMM is used.
  const FactorMatrix& dual() const { return dual_; }
  FactorMatrix& dual() { return dual_; }

  /// From here on updates minimise what they did + share · trace(H)/rank · ‖U − U before‖².
  void damp(double share) { damping_ = share; }
  /// Before a start: no dual.
  void begin() { dual_.set_zero(); }
  /// Moves the factor to the nearest allowed one. Ghost rows are undefined afterwards if it returns true. Collective.
  bool make_feasible(FactorMatrix& local, FactorMatrix& unseen) const;
  /// Improves the owned and the unseen rows; with ADMM and HALS the objective never rises.
  /// @param h        Gram matrix of K
  /// @param product  X_(n) K on the owned rows
  /// @param weights  w; empty: all 1
  /// @param sums     of the owned rows afterwards (they had to be zero)
  /// Collective.
  void update(const GramMatrix& h, FactorMatrix& product, std::span<const double> weights, FactorMatrix& local,
              FactorMatrix& unseen, SolveHealth& health, RowSums& sums);
  /// Whether the rows before an update have no influence on it.
  bool forgets() const { return damping_ == 0 && (method_ == Method::least_squares || method_ == Method::polar); }
  /// ‖DU‖² of each column; empty without a smoothness penalty. Collective.
  std::vector<double> roughness_of(const FactorMatrix& local, const FactorMatrix& unseen) const;
  /// Multiplies the columns, where the other modes are divided by as much: the duals, which have the units of the
  /// gradient, are divided.
  void rescale(std::span<const double> scales, FactorMatrix& local, FactorMatrix& unseen);

 private:
  enum class Method { least_squares, hals, bpp, polar, admm };

  static Method method_for(const Constraint& constraint, Solver solver);
  void improve(const GramMatrix& own, FactorMatrix& product, std::span<const double> weights, FactorMatrix& local,
               FactorMatrix& unseen, double pull);
  void solve_least_squares(const GramMatrix& h, const FactorMatrix& product, FactorMatrix& local, double pull,
                           SolveHealth& health, RowSums& sums) const;
  void solve_in_place(const GramMatrix& h, FactorMatrix& product, FactorMatrix& local, double pull) const;
  void solve_nonnegative(const GramMatrix& h, FactorMatrix& product, FactorMatrix& local, Index first,
                         Index count) const;
  FactorMatrix pulled(const FactorMatrix& product, const FactorMatrix& local, double pull) const;
  void solve_held(const GramMatrix& h, const FactorMatrix& product, FactorMatrix& z);
  double prox(const Constraint& constraint, FactorMatrix& rows, double rho) const;
  std::vector<double> roughness_of(const FactorMatrix& held) const;

  Communicator ranks_;
  const RowLayout& layout_;
  Constraint constraint_;
  Method method_;
  int threads_;
  HeldRows held_;
  std::optional<ColumnExchange> columns_;
  FactorMatrix dual_;
  double damping_ = 0;
};

}  // namespace tempera
