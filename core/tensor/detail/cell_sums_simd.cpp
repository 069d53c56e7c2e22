// Sums of functions of a cell and its model value over a CSF tree, and their derivatives by the rows at the root. On the
// way down the rows of the levels are multiplied to what a leaf's row meets in the model value; on the way up the weights
// of the leaves are gathered as in an MTTKRP. Both stay in registers.
#include "core/tensor/detail/cell_sum_kernels.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors are passed by reference between inlined functions only

namespace tempera::simd::TEMPERA_SIMD {

namespace {

using detail::CellTerm;
using detail::CellView;

typedef double Vector8 __attribute__((vector_size(64), aligned(64), may_alias));
typedef double Vector4 __attribute__((vector_size(32), aligned(32), may_alias));
typedef double Vector2 __attribute__((vector_size(16), aligned(16), may_alias));
typedef double Vector1 __attribute__((vector_size(8), aligned(8), may_alias));
typedef double Loose8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t Integer8 __attribute__((vector_size(64), aligned(64), may_alias));

#define TEMPERA_INLINE inline __attribute__((always_inline))

/// Nonzeros between a prefetch and its use, fewer where rows are long; ids are padded by more than this.
constexpr uint32_t ahead(int vectors) {
  return vectors >= 4 ? 12 : 24;
}

TEMPERA_INLINE double total(const Vector1& v) {
  return v[0];
}
TEMPERA_INLINE double total(const Vector2& v) {
  return v[0] + v[1];
}
TEMPERA_INLINE double total(const Vector4& v) {
  return total(__builtin_shufflevector(v, v, 0, 1) + __builtin_shufflevector(v, v, 2, 3));
}
TEMPERA_INLINE double total(const Vector8& v) {
  return total(__builtin_shufflevector(v, v, 0, 1, 2, 3) + __builtin_shufflevector(v, v, 4, 5, 6, 7));
}

template <class Vector, int W>
struct Panel {
  Vector lane[W];
};

template <class Vector>
TEMPERA_INLINE const Vector* row(const CellView& view, int level, uint32_t id) {
  return reinterpret_cast<const Vector*>(view.factors[level] + static_cast<int64_t>(id) * view.stride);
}

template <class Vector, int W, int Levels, bool All>
TEMPERA_INLINE void prefetch_rows(const CellView& view, uint32_t p) {
  for (int above = 0; above < (All ? Levels : 1); ++above) {
    const int level = view.depth - 1 - above;
    const double* soon = view.factors[level] + static_cast<int64_t>(view.ids[level][p + ahead(W)]) * view.stride;
    for (int w = 0; w < W; ++w) __builtin_prefetch(soon + w * static_cast<int>(sizeof(Vector) / sizeof(double)));
  }
}

TEMPERA_INLINE double weight_of(CellTerm term, double value, double model) {
  switch (term) {
    case CellTerm::residual: return value - model;
    case CellTerm::counts: return (value > 0 ? value / model : 0.0) - 1;
    case CellTerm::logarithm: return value > 0 ? value / model : 0.0;
    case CellTerm::product: return value;
    case CellTerm::square: return model;
    case CellTerm::model: return 1;
  }
  return 0;
}

/// What happens at a cell: which way the rows are multiplied, and the weight of the way up.
struct Models {
  static constexpr bool down = true, up = false;
  double* models;
  TEMPERA_INLINE double operator()(uint32_t p, double, double model) const {
    models[p] += model;  // of these columns
    return 0;
  }
};
struct Gather {
  static constexpr bool down = false, up = true;
  const double* weights;
  TEMPERA_INLINE double operator()(uint32_t p, double, double) const { return weights[p]; }
};
struct Fused {
  static constexpr bool down = true, up = true;
  double* models;
  CellTerm term;
  TEMPERA_INLINE double operator()(uint32_t p, double value, double model) const {
    models[p] = model;
    return weight_of(term, value, model);
  }
};

/// The cells [begin, end), whose last `Levels` levels have one node a cell. down: product of the rows above.
template <class Vector, int W, class Leaf, int Levels, bool All>
TEMPERA_INLINE void cells_between(const CellView& view, const Leaf& leaf, uint32_t begin, uint32_t end,
                                  const Panel<Vector, W>& down, Panel<Vector, W>& sum) {
  const int leaves = view.depth - 1;
  for (uint32_t p = begin; p < end; ++p) {
    prefetch_rows<Vector, W, Levels, All>(view, p);
    Panel<Vector, W> product;
    const Vector* last = row<Vector>(view, leaves, view.ids[leaves][p]);
    for (int w = 0; w < W; ++w) product.lane[w] = last[w];
    for (int above = 1; above < Levels; ++above) {
      const Vector* own = row<Vector>(view, leaves - above, view.ids[leaves - above][p]);
      for (int w = 0; w < W; ++w) product.lane[w] *= own[w];
    }
    double model = 0;
    if constexpr (Leaf::down) {
      Vector dot = down.lane[0] * product.lane[0];
      for (int w = 1; w < W; ++w) dot += down.lane[w] * product.lane[w];
      model = total(dot);
    }
    const double weight = leaf(p, view.values[p], model);
    if constexpr (Leaf::up)
      for (int w = 0; w < W; ++w) sum.lane[w] += weight * product.lane[w];
  }
}

/// The same for the way up alone and short rows: several sums at a time, where one would wait for its additions.
template <class Vector, int W>
TEMPERA_INLINE void gather_cells(const CellView& view, const double* weights, uint32_t begin, uint32_t end,
                                 Panel<Vector, W>& sum) {
  constexpr uint32_t kSums = 4 / W;
  const int leaves = view.depth - 1;
  Panel<Vector, W> parts[kSums] = {};
  uint32_t p = begin;
  for (; p + kSums <= end; p += kSums)
    for (uint32_t k = 0; k < kSums; ++k) {
      prefetch_rows<Vector, W, 1, false>(view, p + k);
      const Vector* last = row<Vector>(view, leaves, view.ids[leaves][p + k]);
      for (int w = 0; w < W; ++w) parts[k].lane[w] += weights[p + k] * last[w];
    }
  for (; p < end; ++p) {
    const Vector* last = row<Vector>(view, leaves, view.ids[leaves][p]);
    for (int w = 0; w < W; ++w) parts[0].lane[w] += weights[p] * last[w];
  }
  for (uint32_t k = 0; k < kSums; ++k)
    for (int w = 0; w < W; ++w) sum.lane[w] += parts[k].lane[w];
}

/// The children [begin, end) of `level`. Remaining: levels from here down.
template <class Vector, int W, class Leaf, int Remaining>
TEMPERA_INLINE void below(const CellView& view, const Leaf& leaf, int level, uint32_t begin, uint32_t end,
                          const Panel<Vector, W>& down, Panel<Vector, W>& sum) {
  if constexpr (Remaining == 1 && W <= 2 && !Leaf::down) {
    gather_cells<Vector, W>(view, leaf.weights, begin, end, sum);
  } else if constexpr (Remaining == 1) {
    cells_between<Vector, W, Leaf, 1, false>(view, leaf, begin, end, down, sum);
  } else {
    if (level == view.merged) {
      if (view.prefetch_all)
        cells_between<Vector, W, Leaf, Remaining, true>(view, leaf, begin, end, down, sum);
      else
        cells_between<Vector, W, Leaf, Remaining, false>(view, leaf, begin, end, down, sum);
      return;
    }
    const uint32_t* ids = view.ids[level];
    const uint32_t* pointers = view.pointers[level];
    for (uint32_t c = begin; c < end; ++c) {
      const Vector* own = row<Vector>(view, level, ids[c]);
      Panel<Vector, W> next, inner;
      for (int w = 0; w < W; ++w) inner.lane[w] = Vector{};
      if constexpr (Leaf::down)
        for (int w = 0; w < W; ++w) next.lane[w] = down.lane[w] * own[w];
      below<Vector, W, Leaf, Remaining - 1>(view, leaf, level + 1, pointers[c], pointers[c + 1], next, inner);
      if constexpr (Leaf::up)
        for (int w = 0; w < W; ++w) sum.lane[w] += inner.lane[w] * own[w];
    }
  }
}

/// Columns [column, column + W vectors) of the whole tree; factors and rows are given from `column` on.
template <class Vector, int W, class Leaf, int Depth>
void tree(const CellView& view, const Leaf& leaf, int64_t columns) {
  constexpr int64_t kWidth = sizeof(Vector) / sizeof(double);
  for (uint32_t c = 0; c < view.roots; ++c) {
    Panel<Vector, W> down, sum;
    const Vector* own = row<Vector>(view, 0, view.ids[0][c]);
    if constexpr (Leaf::down)
      for (int w = 0; w < W; ++w) __builtin_prefetch(row<Vector>(view, 0, view.ids[0][c + ahead(W)]) + w);
    for (int w = 0; w < W; ++w) {
      down.lane[w] = own[w];
      sum.lane[w] = Vector{};
    }
    below<Vector, W, Leaf, Depth - 1>(view, leaf, 1, view.pointers[0][c], view.pointers[0][c + 1], down, sum);
    if constexpr (Leaf::up) {
      double* out = view.rows + static_cast<int64_t>(c) * view.rank;
      if (columns == W * kWidth)
        __builtin_memcpy(out, &sum, sizeof(sum));
      else
        for (int64_t r = 0; r < columns; ++r) out[r] = sum.lane[r / kWidth][r % kWidth];
    }
  }
}

template <class Vector, int W, class Leaf>
void tree_of_depth(const CellView& view, const Leaf& leaf, int64_t columns) {
  switch (view.depth) {
    case 2: return tree<Vector, W, Leaf, 2>(view, leaf, columns);
    case 3: return tree<Vector, W, Leaf, 3>(view, leaf, columns);
    case 4: return tree<Vector, W, Leaf, 4>(view, leaf, columns);
    case 5: return tree<Vector, W, Leaf, 5>(view, leaf, columns);
    case 6: return tree<Vector, W, Leaf, 6>(view, leaf, columns);
    case 7: return tree<Vector, W, Leaf, 7>(view, leaf, columns);
    case 8: return tree<Vector, W, Leaf, 8>(view, leaf, columns);
    default: return;
  }
}

/// One pass over the tree for each panel of columns.
template <class Leaf>
void passes(const CellView& view, const Leaf& leaf) {
  switch (view.stride) {
    case 1: return tree_of_depth<Vector1, 1>(view, leaf, view.rank);
    case 2: return tree_of_depth<Vector2, 1>(view, leaf, view.rank);
    case 4: return tree_of_depth<Vector4, 1>(view, leaf, view.rank);
    default: break;
  }
  constexpr int64_t kDoubles = 8, kWidest = detail::kFusedColumns / kDoubles;
  CellView panel = view;
  for (int64_t column = 0; column < view.stride;) {
    const int64_t vectors = (view.stride - column) / kDoubles;
    const int64_t width = vectors < kWidest ? vectors : kWidest;
    const int64_t rest = view.rank - column, columns = rest < width * kDoubles ? rest : width * kDoubles;
    switch (width) {
      case 1: tree_of_depth<Vector8, 1>(panel, leaf, columns); break;
      case 2: tree_of_depth<Vector8, 2>(panel, leaf, columns); break;
      case 3: tree_of_depth<Vector8, 3>(panel, leaf, columns); break;
      default: tree_of_depth<Vector8, 4>(panel, leaf, columns); break;
    }
    column += width * kDoubles;
    for (int level = 0; level < view.depth; ++level) panel.factors[level] = view.factors[level] + column;
    panel.rows = view.rows + column;
  }
}

/// Natural logarithms of normal numbers, to about an ulp; NaN for +∞ and NaN. After FreeBSD's e_log.c: with
/// m = 2^k (1 + f) and s = f / (2 + f), log(1 + f) = 2 artanh(s) by a polynomial of s².
TEMPERA_INLINE Vector8 logarithm_of(const Vector8& m) {
  constexpr int64_t kOne = 0x3ff0000000000000, kRootHalf = 0x3fe6a09e667f3bcd, kFraction = 0x000fffffffffffff;
  constexpr int64_t kTwo52 = 0x4330000000000000;
  constexpr double kLow = 1.90821492927058770002e-10, kHigh = 6.93147180369123816490e-01;  // log 2
  const Integer8 bits = reinterpret_cast<const Integer8&>(m) + (kOne - kRootHalf);
  const Integer8 biased = ((bits >> 52) & 0x7ff) | kTwo52, fraction = (bits & kFraction) + kRootHalf;
  const Vector8 k = reinterpret_cast<const Vector8&>(biased) - (0x1p52 + 1023);
  const Vector8 f = reinterpret_cast<const Vector8&>(fraction) - 1.0;
  const Vector8 s = f / (2.0 + f), z = s * s, w = z * z;
  const Vector8 even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  const Vector8 odd =
      z * (6.666666666666735130e-01 +
           w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
  const Vector8 half = 0.5 * f * f;
  return k * kHigh - ((half - (s * (half + even + odd) + k * kLow)) - f) + (m - m);
}

TEMPERA_INLINE Vector8 terms_of(CellTerm term, const Vector8& x, const Vector8& m) {
  const Vector8 zero = Vector8{}, infinity = zero + __builtin_inf();
  switch (term) {
    case CellTerm::residual: return -0.5 * ((x - m) * (x - m));
    case CellTerm::product: return x * m;
    case CellTerm::square: return 0.5 * (m * m);
    case CellTerm::model: return m;
    case CellTerm::counts:
    case CellTerm::logarithm: break;
  }
  const Vector8 logarithm = m < detail::kLeastModel ? -infinity : logarithm_of(m);
  const Vector8 part = x > 0 ? x * logarithm : zero;
  return term == CellTerm::counts ? part - m : part;
}

void cell_models(const CellView& view) {
  for (uint32_t p = 0; p < view.cells; ++p) view.models[p] = 0;
  passes(view, Models{view.models});
}

void cell_gather(const CellView& view, const double* weights) {
  passes(view, Gather{weights});
}

void cell_fused(const CellView& view, CellTerm term) {
  passes(view, Fused{view.models, term});
}

double cell_value(CellTerm term, const double* values, const double* models, int64_t count) {
  constexpr int64_t kLanes = 8, kRun = 1024;  // short sums keep their last digits
  double sum = 0;
  const int64_t whole = count / kLanes * kLanes;
  for (int64_t first = 0; first < whole; first += kRun) {
    const int64_t end = first + kRun < whole ? first + kRun : whole;
    Vector8 part = Vector8{};
    for (int64_t p = first; p < end; p += kLanes)
      part +=
          terms_of(term, *reinterpret_cast<const Loose8*>(values + p), *reinterpret_cast<const Loose8*>(models + p));
    sum += total(part);
  }
  if (whole == count) return sum;
  Vector8 x = Vector8{}, m = Vector8{};
  for (int64_t p = whole; p < count; ++p) {
    x[p - whole] = values[p];
    m[p - whole] = models[p];
  }
  const Vector8 last = terms_of(term, x, m);
  double tail = 0;
  for (int64_t p = whole; p < count; ++p) tail += last[p - whole];
  return sum + tail;
}

void cell_weights(CellTerm term, const double* values, double* models, int64_t count) {
  for (int64_t p = 0; p < count; ++p) models[p] = weight_of(term, values[p], models[p]);
}

}  // namespace

detail::CellKernels cell_kernels() {
  return {cell_models, cell_gather, cell_fused, cell_value, cell_weights};
}

}  // namespace tempera::simd::TEMPERA_SIMD
