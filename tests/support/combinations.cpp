#include "tests/support/combinations.hpp"

#include <algorithm>

#include "core/base/error.hpp"

namespace tempera::test {

namespace {

using Texts = std::vector<std::string>;

// Which pairs go together: a row and the names before it.
const char* const kPairs[] = {
    /* nonnegative    */ "",
    /* l1             */ "x",
    /* ridge          */ "xx",
    /* smooth         */ "x.x",
    /* row-simplex    */ "x.x.",
    /* column-simplex */ "x.x..",
    /* orthogonal     */ "......",
    /* unimodal       */ "x.x....",
    /* monotone       */ "x.x.....",
    /* box            */ "xxx.xx.xx",
    /* norm           */ "xxx....xx.",
};

bool parses(const Texts& texts) {
  try {
    parse_constraints(texts, 3);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// In every mode and, if `each`, in each alone, else in the middle one.
void place(const Texts& names, bool each, std::vector<Texts>& all) {
  all.push_back(names);
  for (const char* mode : {"@1", "@0", "@2"}) {
    Texts placed = names;
    for (std::string& text : placed) text += mode;
    all.push_back(placed);
    if (!each) break;
  }
}

std::vector<Texts> all_texts() {
  const Texts& names = constraint_texts();
  std::vector<Texts> all{{}};
  for (std::size_t k = 0; k < names.size(); ++k) {
    place({names[k]}, true, all);
    for (std::size_t other = 0; other < k; ++other) {
      const bool together = parses({names[other], names[k]});
      if (together) place({names[other], names[k]}, false, all);
      for (std::size_t third = 0; !together && third < names.size(); ++third)
        if (third != k && third != other && parses({names[third], names[other], names[k]}))
          place({names[third], names[other], names[k]}, false, all);
    }
  }
  return all;
}

}  // namespace

std::string Combination::name() const {
  std::string name = sparse ? "sparse" : "dense";
  for (const auto& text : texts) name += " " + text;
  if (texts.empty()) name += " unconstrained";
  const char* const solvers[] = {"", " by hals", " by bpp", " by admm"};
  return name + solvers[static_cast<std::size_t>(solver)];
}

const std::vector<std::string>& constraint_texts() {
  static const Texts texts{"nonnegative", "l1:0.02",  "ridge:0.02", "smooth:0.05",  "row-simplex", "column-simplex",
                           "orthogonal",  "unimodal", "monotone",   "box:-1.2,1.2", "norm"};
  return texts;
}

bool guide_allows(std::size_t one, std::size_t other) {
  return kPairs[std::max(one, other)][std::min(one, other)] == 'x';
}

std::vector<Combination> all_combinations(const std::vector<Index>& shape, Index rank) {
  std::vector<Combination> all;
  for (const Texts& texts : all_texts())
    for (const Solver solver : {Solver::automatic, Solver::bpp, Solver::admm}) {  // hals is what automatic takes
      CpOptions options;
      options.rank = rank;
      options.solver = solver;
      options.constraints = parse_constraints(texts, 3);
      // What ADMM solves anyway needs no second run.
      if (solver == Solver::admm &&
          std::none_of(options.constraints.begin(), options.constraints.end(),
                       [](const Constraint& constraint) { return constraint.is_nonnegative_least_squares(); }))
        continue;
      try {
        check_cp_options(shape, options);
      } catch (const Error&) {
        continue;
      }
      for (const bool sparse : {false, true}) all.push_back({texts, solver, sparse});
    }
  return all;
}

}  // namespace tempera::test
