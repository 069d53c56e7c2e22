// MTTKRP over a CSF tree. Columns are processed in panels of up to four vectors of 8 doubles, whose accumulators stay
// in registers during the whole descent below a root; wider ranks take several passes over the indices. Ranks below 8
// have rows of one vector of 1, 2 or 4 doubles.
#include "core/tensor/detail/csf_kernels.hpp"

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors are passed by reference between inlined functions only

namespace tempera::simd::TEMPERA_SIMD {

namespace {

using detail::CsfView;

typedef double Vector8 __attribute__((vector_size(64), aligned(64), may_alias));
typedef double Vector4 __attribute__((vector_size(32), aligned(32), may_alias));
typedef double Vector2 __attribute__((vector_size(16), aligned(16), may_alias));
typedef double Vector1 __attribute__((vector_size(8), aligned(8), may_alias));

/// Nonzeros between a prefetch and its use, fewer where rows are long; ids are padded by more than this.
constexpr uint32_t ahead(int vectors) {
  return vectors >= 4 ? 12 : 24;
}

template <class Vector, int W>
struct Panel {
  Vector lane[W];
};

template <class Vector>
inline __attribute__((always_inline)) const Vector* row(const CsfView& view, int level, uint32_t id) {
  return reinterpret_cast<const Vector*>(view.factors[level] + static_cast<int64_t>(id) * view.stride);
}

template <class Vector, int W>
inline __attribute__((always_inline)) void prefetch(const double* row) {
  for (int w = 0; w < W; ++w) __builtin_prefetch(row + w * static_cast<int>(sizeof(Vector) / sizeof(double)));
}

/// Rows of a nonzero further on, at the leaves or at all `Levels` levels that are not merged.
template <class Vector, int W, int Levels, bool All>
inline __attribute__((always_inline)) void prefetch_rows(const CsfView& view, uint32_t p) {
  for (int above = 0; above < (All ? Levels : 1); ++above) {
    const int level = view.depth - 1 - above;
    prefetch<Vector, W>(view.factors[level] + static_cast<int64_t>(view.ids[level][p + ahead(W)]) * view.stride);
  }
}

/// sum += Σ over the nonzeros [begin, end) of the value times the rows of the last `Levels` levels.
template <class Vector, int W, int Levels, bool All>
inline __attribute__((always_inline)) void gather_nonzeros(const CsfView& view, uint32_t begin, uint32_t end,
                                                           Panel<Vector, W>& sum) {
  const int leaves = view.depth - 1;
  for (uint32_t p = begin; p < end; ++p) {
    prefetch_rows<Vector, W, Levels, All>(view, p);
    const Vector* leaf = row<Vector>(view, leaves, view.ids[leaves][p]);
    const double value = view.values[p];
    if constexpr (Levels == 1) {
      for (int w = 0; w < W; ++w) sum.lane[w] += value * leaf[w];
    } else {
      Panel<Vector, W> product;
      for (int w = 0; w < W; ++w) product.lane[w] = value * leaf[w];
      for (int above = 1; above < Levels - 1; ++above) {
        const Vector* own = row<Vector>(view, leaves - above, view.ids[leaves - above][p]);
        for (int w = 0; w < W; ++w) product.lane[w] *= own[w];
      }
      const Vector* own = row<Vector>(view, leaves - Levels + 1, view.ids[leaves - Levels + 1][p]);
      for (int w = 0; w < W; ++w) sum.lane[w] += product.lane[w] * own[w];
    }
  }
}

/// sum += Σ over the children [begin, end) of `level`, each times its factor row. Remaining: levels from here down.
template <class Vector, int W, int Remaining>
inline __attribute__((always_inline)) void gather_up(const CsfView& view, int level, uint32_t begin, uint32_t end,
                                                     Panel<Vector, W>& sum) {
  if constexpr (Remaining == 1) {
    gather_nonzeros<Vector, W, 1, false>(view, begin, end, sum);
  } else {
    if (level == view.merged) {
      if (view.prefetch_all)
        gather_nonzeros<Vector, W, Remaining, true>(view, begin, end, sum);
      else
        gather_nonzeros<Vector, W, Remaining, false>(view, begin, end, sum);
      return;
    }
    const uint32_t* ids = view.ids[level];
    const uint32_t* pointers = view.pointers[level];
    for (uint32_t c = begin; c < end; ++c) {
      Panel<Vector, W> below;
      for (int w = 0; w < W; ++w) below.lane[w] = Vector{};
      gather_up<Vector, W, Remaining - 1>(view, level + 1, pointers[c], pointers[c + 1], below);
      const Vector* own = row<Vector>(view, level, ids[c]);
      for (int w = 0; w < W; ++w) sum.lane[w] += below.lane[w] * own[w];
    }
  }
}

/// The same, as a function of its own: for the rarer traversals, whose code would grow with the square of the depth.
template <class Vector, int W, int Remaining>
__attribute__((noinline)) void gather_below(const CsfView& view, int level, uint32_t begin, uint32_t end,
                                            Panel<Vector, W>& sum) {
  gather_up<Vector, W, Remaining>(view, level, begin, end, sum);
}

/// Adds to the target's rows, for the nonzeros [begin, end): product × value × the rows of the levels that are not merged,
/// without the target's.
template <class Vector, int W>
__attribute__((noinline)) void scatter_nonzeros(const CsfView& view, uint32_t begin, uint32_t end,
                                                const Panel<Vector, W>& product) {
  const int first = view.merged;
  for (uint32_t p = begin; p < end; ++p) {
    const double* soon = view.result + static_cast<int64_t>(view.ids[view.target][p + ahead(W)]) * view.stride;
    prefetch<Vector, W>(soon);
    const double value = view.values[p];
    Panel<Vector, W> own;
    for (int w = 0; w < W; ++w) own.lane[w] = value * product.lane[w];
    for (int level = first; level < view.depth; ++level) {
      if (level == view.target) continue;
      const Vector* factor = row<Vector>(view, level, view.ids[level][p]);
      for (int w = 0; w < W; ++w) own.lane[w] *= factor[w];
    }
    auto* out = reinterpret_cast<Vector*>(view.result + static_cast<int64_t>(view.ids[view.target][p]) * view.stride);
    for (int w = 0; w < W; ++w) out[w] += own.lane[w];
  }
}

/// Descends to the target level with the product of the rows above; adds product × (sum below) to the target's row.
template <class Vector, int W, int Remaining>
__attribute__((noinline)) void scatter_down(const CsfView& view, int level, uint32_t begin, uint32_t end,
                                            const Panel<Vector, W>& product) {
  if (level == view.merged) return scatter_nonzeros<Vector, W>(view, begin, end, product);
  if constexpr (Remaining > 1) {
    const uint32_t* ids = view.ids[level];
    for (uint32_t c = begin; c < end; ++c) {
      const uint32_t first = view.pointers[level][c], last = view.pointers[level][c + 1];
      if (level == view.target) {
        auto* out = reinterpret_cast<Vector*>(view.result + static_cast<int64_t>(ids[c]) * view.stride);
        Panel<Vector, W> below;
        for (int w = 0; w < W; ++w) below.lane[w] = Vector{};
        gather_below<Vector, W, Remaining - 1>(view, level + 1, first, last, below);
        for (int w = 0; w < W; ++w) out[w] += product.lane[w] * below.lane[w];
      } else {
        const Vector* own = row<Vector>(view, level, ids[c]);
        Panel<Vector, W> next;
        for (int w = 0; w < W; ++w) next.lane[w] = product.lane[w] * own[w];
        scatter_down<Vector, W, Remaining - 1>(view, level + 1, first, last, next);
      }
    }
  }
}

template <class Vector, int W, int Depth>
void mttkrp_panel(const CsfView& view, uint32_t begin, uint32_t end) {
  if (view.target != 0) {
    Panel<Vector, W> ones;
    for (int w = 0; w < W; ++w) ones.lane[w] = Vector{} + 1.0;
    scatter_down<Vector, W, Depth>(view, 0, begin, end, ones);
    return;
  }
  const uint32_t* pointers = view.pointers[0];
  for (uint32_t c = begin; c < end; ++c) {
    Panel<Vector, W> sum;
    for (int w = 0; w < W; ++w) sum.lane[w] = Vector{};
    gather_up<Vector, W, Depth - 1>(view, 1, pointers[c], pointers[c + 1], sum);
    auto* out = reinterpret_cast<Vector*>(view.result + static_cast<int64_t>(view.ids[0][c]) * view.stride);
    for (int w = 0; w < W; ++w) out[w] = sum.lane[w];
  }
}

template <class Vector, int W>
void mttkrp_depth(const CsfView& view, uint32_t begin, uint32_t end) {
  switch (view.depth) {
    case 2: return mttkrp_panel<Vector, W, 2>(view, begin, end);
    case 3: return mttkrp_panel<Vector, W, 3>(view, begin, end);
    case 4: return mttkrp_panel<Vector, W, 4>(view, begin, end);
    case 5: return mttkrp_panel<Vector, W, 5>(view, begin, end);
    case 6: return mttkrp_panel<Vector, W, 6>(view, begin, end);
    case 7: return mttkrp_panel<Vector, W, 7>(view, begin, end);
    case 8: return mttkrp_panel<Vector, W, 8>(view, begin, end);
    default: return;
  }
}

/// One row of the result for each node of level 1: the sum over everything below it.
template <class Vector, int W, int Below>
void fibre_panel(const CsfView& view, uint32_t begin, uint32_t end) {
  const uint32_t* pointers = view.pointers[1];
  for (uint32_t c = view.pointers[0][begin]; c < view.pointers[0][end]; ++c) {
    Panel<Vector, W> sum;
    for (int w = 0; w < W; ++w) sum.lane[w] = Vector{};
    gather_below<Vector, W, Below>(view, 2, pointers[c], pointers[c + 1], sum);
    auto* out = reinterpret_cast<Vector*>(view.result + static_cast<int64_t>(c) * view.stride);
    for (int w = 0; w < W; ++w) out[w] = sum.lane[w];
  }
}

template <class Vector, int W>
void fibre_depth(const CsfView& view, uint32_t begin, uint32_t end) {
  switch (view.depth) {
    case 3: return fibre_panel<Vector, W, 1>(view, begin, end);
    case 4: return fibre_panel<Vector, W, 2>(view, begin, end);
    case 5: return fibre_panel<Vector, W, 3>(view, begin, end);
    case 6: return fibre_panel<Vector, W, 4>(view, begin, end);
    case 7: return fibre_panel<Vector, W, 5>(view, begin, end);
    case 8: return fibre_panel<Vector, W, 6>(view, begin, end);
    default: return;
  }
}

/// Sums of squares below one node; `product` holds the product of the rows above.
template <int Remaining>
void residual_below(const CsfView& view, int level, uint32_t begin, uint32_t end, const double* product, double* sums) {
  const uint32_t* ids = view.ids[level];
  for (uint32_t c = begin; c < end; ++c) {
    const double* own = view.factors[level] + static_cast<int64_t>(ids[c]) * view.stride;
    if constexpr (Remaining == 1) {
      double model = 0;
      for (int64_t r = 0; r < view.stride; ++r) model += product[r] * own[r];
      const double difference = view.values[c] - model;
      sums[0] += difference * difference;
      sums[1] += model * model;
    } else {
      // One row of products a level, laid out by the caller behind the current one.
      double* next = const_cast<double*>(product) + view.stride;
      for (int64_t r = 0; r < view.stride; ++r) next[r] = product[r] * own[r];
      const bool merged = level < view.merged;
      residual_below<Remaining - 1>(view, level + 1, merged ? view.pointers[level][c] : c,
                                    merged ? view.pointers[level][c + 1] : c + 1, next, sums);
    }
  }
}

/// Runs the pass over each panel of columns, with vectors that suit it.
template <class Pass>
inline __attribute__((always_inline)) void for_each_panel(const CsfView& view, const Pass& pass) {
  switch (view.stride) {
    case 1: return pass.template run<Vector1, 1>(view);
    case 2: return pass.template run<Vector2, 1>(view);
    case 4: return pass.template run<Vector4, 1>(view);
    default: break;
  }
  constexpr int kDoubles = 8;
#ifdef __AVX512F__
  constexpr int kWidest = 8;  // 32 registers: the accumulators of two levels of 64 columns stay in them
#else
  constexpr int kWidest = 4;
#endif
  CsfView panel = view;
  for (int64_t column = 0; column < view.stride;) {
    const int64_t vectors = (view.stride - column) / kDoubles;
    const int64_t width = vectors >= kWidest ? kWidest : vectors >= 4 ? 4 : vectors;
    switch (width) {
      case 1: pass.template run<Vector8, 1>(panel); break;
      case 2: pass.template run<Vector8, 2>(panel); break;
      case 3: pass.template run<Vector8, 3>(panel); break;
#ifdef __AVX512F__
      case 8: pass.template run<Vector8, 8>(panel); break;
#endif
      default: pass.template run<Vector8, 4>(panel); break;
    }
    column += width * kDoubles;
    for (int level = 0; level < view.depth; ++level)
      if (level != view.target) panel.factors[level] = view.factors[level] + column;
    panel.result = view.result + column;
  }
}

struct MttkrpPass {
  uint32_t begin, end;
  template <class Vector, int W>
  void run(const CsfView& view) const {
    mttkrp_depth<Vector, W>(view, begin, end);
  }
};

struct FibrePass {
  uint32_t begin, end;
  template <class Vector, int W>
  void run(const CsfView& view) const {
    fibre_depth<Vector, W>(view, begin, end);
  }
};

}  // namespace

void csf_mttkrp(const CsfView& view, uint32_t begin, uint32_t end) {
  for_each_panel(view, MttkrpPass{begin, end});
}

void csf_fibre_products(const CsfView& view, uint32_t begin, uint32_t end) {
  for_each_panel(view, FibrePass{begin, end});
}

void csf_residual(const CsfView& view, uint32_t begin, uint32_t end, double* sums) {
  double* product = view.result;  // scratch: depth rows of `stride` doubles, the first one set to ones by the caller
  switch (view.depth) {
    case 2: return residual_below<2>(view, 0, begin, end, product, sums);
    case 3: return residual_below<3>(view, 0, begin, end, product, sums);
    case 4: return residual_below<4>(view, 0, begin, end, product, sums);
    case 5: return residual_below<5>(view, 0, begin, end, product, sums);
    case 6: return residual_below<6>(view, 0, begin, end, product, sums);
    case 7: return residual_below<7>(view, 0, begin, end, product, sums);
    case 8: return residual_below<8>(view, 0, begin, end, product, sums);
    default: return;
  }
}

}  // namespace tempera::simd::TEMPERA_SIMD
