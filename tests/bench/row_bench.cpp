// Kernels on factor rows: Gram matrix, and the updates of a mode (Cholesky solve, HALS, BPP, ADMM, Newton steps
// of counts). The bound of an iterative update is one pass over the rows, rank² multiply-adds each.
//
//   row_bench rows=20000 rank=16,64 threads=1,2 only=hals
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/factorization/admm.hpp"
#include "core/factorization/bpp.hpp"
#include "core/factorization/hals.hpp"
#include "core/factorization/normal_equations.hpp"
#include "core/factorization/poisson.hpp"
#include "core/factorization/row_sums.hpp"
#include "tests/bench/bench.hpp"
#include "tests/bench/generated.hpp"

namespace {

using namespace tempera;
using namespace tempera::bench;

constexpr double kAgree = 1e-8;  // H has a condition of some thousands

/// min ½ tr(U H Uᵀ) − ⟨M, U⟩ whose solution without constraints is `truth`, entries of either sign.
struct Problem {
  std::string name;
  GramMatrix h;
  FactorMatrix truth, m, start;
  int threads = 1;
};

FactorMatrix times(const FactorMatrix& u, const GramMatrix& h) {
  FactorMatrix product(u.rows(), u.columns());
  for (Index i = 0; i < u.rows(); ++i)
    for (Index s = 0; s < h.rank; ++s)
      for (Index r = 0; r < h.rank; ++r) product(i, r) += u(i, s) * h(s, r);
  return product;
}

double inner(const FactorMatrix& a, const FactorMatrix& b) {
  double sum = 0;
  for (Index i = 0; i < a.rows(); ++i)
    for (Index r = 0; r < a.columns(); ++r) sum += a(i, r) * b(i, r);
  return sum;
}

Problem problem(Index rows, Index rank) {
  Problem made{fmt::format("{} rows, rank {}", rows, rank),
               gram(generated_matrix(4 * rank, rank, 10), 0, 4 * rank),
               generated_matrix(rows, rank, 11),
               {},
               generated_matrix(rows, rank, 12)};
  for (double& value : made.truth.storage())
    if (value != 0) value -= 0.4;  // not the padding
  made.m = times(made.truth, made.h);
  return made;
}

double objective(const Problem& p, const FactorMatrix& u) {
  return inner(times(u, p.h), u) / 2 - inner(p.m, u);
}

double least_entry(const FactorMatrix& u) {
  return *std::min_element(u.storage().begin(), u.storage().end());
}

/// Largest violation of u ≥ 0, y = uH − m ≥ 0, u·y = 0.
double kkt_violation(const Problem& p, const FactorMatrix& u) {
  const FactorMatrix product = times(u, p.h);
  double worst = 0;
  for (Index i = 0; i < u.rows(); ++i)
    for (Index r = 0; r < u.columns(); ++r)
      worst = std::max(worst, std::abs(std::min(u(i, r), product(i, r) - p.m(i, r))));
  return worst;
}

/// One pass: rank² multiply-adds a row; right-hand sides and rows are moved once.
Work pass(const Problem& p) {
  const auto rank = static_cast<double>(p.h.rank), rows = static_cast<double>(p.m.rows());
  const double matrix = rows * rank * 8;
  Work work;
  work.flops = 2 * rank * rank * rows;
  work.traffic = {{2 * matrix, 2 * matrix}};  // the bounds are those of one thread, as in the roofline
  return work;
}

void bench_gram(const Problem& p, Report& report) {
  GramMatrix result;
  const Timing timing = time_runs([&] { result = gram(p.truth, 0, p.truth.rows()); });
  double worst = 0;
  for (Index r = 0; r < p.h.rank; ++r)
    for (Index s = 0; s < p.h.rank; ++s) {
      double sum = 0;
      for (Index i = 0; i < p.truth.rows(); ++i) sum += p.truth(i, r) * p.truth(i, s);
      worst = std::max(worst, std::abs(result(r, s) - sum) / std::abs(result(r, r)));
    }
  Work work = pass(p);
  work.flops /= 2;  // symmetric
  work.traffic[0] = {work.traffic[0].bytes / 2, work.traffic[0].footprint / 2};
  report.add(p.name, "gram", timing, work, worst < 1e-11);
}

void bench_cholesky(const Problem& p, Report& report) {
  FactorMatrix u;
  const Timing timing = time_runs([&] { NormalEquations(p.h).solve(u, 0, u.rows()); }, [&] { u = p.m; });
  report.add(p.name, "Cholesky solve", timing, pass(p), largest_difference(p.truth, u) < kAgree);
}

/// What the sweep of a mode without constraints does: solve, and sum UᵀU and the inner products of the columns.
void bench_solve(const Problem& p, Report& report) {
  FactorMatrix u(p.m.rows(), p.m.columns());
  double products = 0;
  const Timing timing = time_runs([&] {
    RowSums sums(p.h.rank);
    solve_rows(NormalEquations(p.h), p.m, u, 0, u.rows(), sums, p.threads);
    products = std::accumulate(sums.inner.begin(), sums.inner.end(), 0.0);
  });
  Work work = pass(p);
  work.flops *= 1.5;
  const double expected = inner(p.m, p.truth);
  report.add(p.name, "solve and sum", timing, work,
             largest_difference(p.truth, u) < kAgree && std::abs(products - expected) < kAgree * std::abs(expected));
}

void bench_hals(const Problem& p, Report& report) {
  FactorMatrix u;
  const Timing timing = time_runs([&] { hals_update(p.h, p.m, u, 0, u.rows(), p.threads); }, [&] { u = p.start; });
  report.add(p.name, "HALS", timing, pass(p), least_entry(u) >= 0 && objective(p, u) < objective(p, p.start));
}

void bench_bpp(const Problem& p, Report& report) {
  FactorMatrix u;
  const Timing timing = time_runs([&] { bpp_update(p.h, p.m, u, 0, u.rows(), p.threads); }, [&] { u = p.start; });
  report.add(p.name, "BPP", timing, pass(p), kkt_violation(p, u) < kAgree);
}

void bench_admm(const Problem& p, Report& report) {
  FactorMatrix u, dual;
  const Timing timing = time_runs([&] { admm_rows(p.h, p.m, Constraint::nonnegative, u, dual, p.threads); },
                                  [&] {
                                    u = p.start;
                                    dual = FactorMatrix(u.rows(), u.columns());
                                  });
  report.add(p.name, "ADMM, nonnegative", timing, pass(p),
             least_entry(u) >= 0 && objective(p, u) < objective(p, p.start));
}

/// Rows with H itself as Hessian and gradients that ask for a change.
void bench_newton(const Problem& p, Report& report) {
  const auto rank = static_cast<std::size_t>(p.h.rank);
  std::vector<double> packed, sums(rank, 1.0), phi(rank);
  for (std::size_t r = 0; r < rank; ++r)
    for (std::size_t s = 0; s <= r; ++s) packed.push_back(p.h(static_cast<Index>(r), static_cast<Index>(s)));
  for (std::size_t r = 0; r < rank; ++r) phi[r] = 0.5 + static_cast<double>(r % 3) / 2;
  CountNewton newton(p.h.rank);
  FactorMatrix u;
  const Timing timing = time_runs(
      [&] {
        for (Index i = 0; i < u.rows(); ++i) newton.step({u.row(i), rank}, phi, packed, sums);
      },
      [&] { u = p.start; });
  Work work = pass(p);
  work.flops = static_cast<double>(p.m.rows()) * std::pow(static_cast<double>(rank), 3) / 3;
  work.traffic.push_back({static_cast<double>(packed.size()) * 8, static_cast<double>(packed.size()) * 8});
  report.add(p.name, "Newton step of counts", timing, work, least_entry(u) >= 0);
}

}  // namespace

int main(int argc, char** argv) {
  const Settings settings(argc, argv, {{"rows", "10000"}, {"rank", "16,64"}, {"threads", "1"}, {"only", ""}});
  Report report("rows", settings);
  for (const Index rows : settings.integers("rows"))
    for (const Index rank : settings.integers("rank")) {
      Problem made = problem(rows, rank);
      const std::string name = made.name;
      if (settings.wants("gram")) bench_gram(made, report);
      if (settings.wants("cholesky")) bench_cholesky(made, report);
      if (settings.wants("newton")) bench_newton(made, report);
      for (const Index threads : settings.integers("threads")) {
        made.threads = static_cast<int>(threads);
        if (threads > 1) made.name = fmt::format("{}, {} threads", name, threads);
        if (settings.wants("solve")) bench_solve(made, report);
        if (settings.wants("hals")) bench_hals(made, report);
        if (settings.wants("bpp")) bench_bpp(made, report);
        if (settings.wants("admm")) bench_admm(made, report);
      }
    }
  return report.finish();
}
