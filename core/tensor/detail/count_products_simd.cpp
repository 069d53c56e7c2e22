// Poisson sums over the stored cells of one process, by descent through the tree: the products of the factor rows on the
// way down are kept, so that a leaf costs a few passes over one row.
#include "core/tensor/detail/count_kernels.hpp"

namespace tempera::simd::TEMPERA_SIMD {

namespace {

using detail::CountTotals;
using detail::CountView;

constexpr double kTiny = 1e-250;  // a model value that underflows still has a reciprocal

inline double dot(const double* a, const double* b, int64_t n) {
  double sum = 0;
#pragma GCC ivdep
  for (int64_t r = 0; r < n; ++r) sum += a[r] * b[r];
  return sum;
}

inline const double* factor_row(const CountView& view, int level, int64_t id) {
  return view.factors[level] + id * view.stride;
}

/// product ∘ row of the factor, or the product itself at the target level; the result lies in `out` or where it was.
inline const double* extended(const CountView& view, int level, int64_t id, const double* product, double* out) {
  if (level == view.target) return product;
  const double* row = factor_row(view, level, id);
  for (int64_t r = 0; r < view.stride; ++r) out[r] = product[r] * row[r];
  return out;
}

/// Calls leaf(position, row of the target mode, product of the rows of the other modes).
template <class Leaf>
void descend(const CountView& view, int level, int64_t begin, int64_t end, int64_t row, const double* product,
             const Leaf& leaf) {
  double* out = view.scratch + (level + 1) * view.stride;
  const bool first = level == 0;
  for (int64_t node = begin; node < end; ++node) {
    const int64_t id = view.ids[level] != nullptr ? view.ids[level][node] : first ? node : node - begin;
    const int64_t target_row = level == view.target ? id : row;
    if (level + 1 == view.depth) {
      if (leaf.skips(view.values[node])) continue;
      leaf(node, target_row, extended(view, level, id, product, out));
      continue;
    }
    const double* next = extended(view, level, id, product, out);
    if (view.pointers[level] != nullptr)
      descend(view, level + 1, view.pointers[level][node], view.pointers[level][node + 1], target_row, next, leaf);
    else
      descend(view, level + 1, node * view.extents[level + 1], (node + 1) * view.extents[level + 1], target_row, next,
              leaf);
  }
}

constexpr int64_t kLanes = 8;
constexpr int64_t kFewCells = 4;  // below, the square costs more than it saves
using Lanes = double __attribute__((vector_size(kLanes * sizeof(double))));

inline Lanes& lanes(double* values) {
  return *reinterpret_cast<Lanes*>(values);
}

/// Σ left rightᵀ of the cells of one row of the target mode, as a square of its own: a few cells together make a product
/// of matrices that stays in registers. Only blocks that reach into the lower triangle are computed.
struct Triangle {
  const CountView& view;
  double* left;    // kTriangleCells rows
  double* right;   // the same
  double* square;  // stride × stride
  int64_t count = 0;
  bool folded = false;  // the square holds something

  explicit Triangle(const CountView& whole)
      : view(whole),
        left(whole.scratch + (whole.depth + 2) * whole.stride),
        right(left + detail::kTriangleCells * whole.stride),
        square(right + detail::kTriangleCells * whole.stride) {
    for (int64_t k = 0; k < view.stride * view.stride; ++k) square[k] = 0;
  }

  void add(double weight, const double* row) {
    double* a = left + count * view.stride;
    double* b = right + count * view.stride;
    for (int64_t r = 0; r < view.stride; ++r) {
      a[r] = weight * row[r];
      b[r] = row[r];
    }
    if (++count == detail::kTriangleCells) fold();
  }

  void fold() {
    for (int64_t i = 0; i < view.stride; i += kLanes)
      for (int64_t j = 0; j <= i; j += kLanes) {
        Lanes sums[kLanes] = {};
        for (int64_t k = 0; k < count; ++k) {
          const double* a = left + k * view.stride + i;
          const Lanes b = lanes(right + k * view.stride + j);
#pragma GCC unroll 8
          for (int64_t r = 0; r < kLanes; ++r) sums[r] += a[r] * b;
        }
        for (int64_t r = 0; r < kLanes; ++r) lanes(square + (i + r) * view.stride + j) += sums[r];
      }
    count = 0;
    folded = true;
  }

  /// Moves the sum to the packed triangle of a row.
  void move_to(double* packed) {
    if (!folded && count < kFewCells) {
      for (int64_t k = 0; k < count; ++k) add_packed(left + k * view.stride, right + k * view.stride, packed);
      count = 0;
      return;
    }
    fold();
    for (int64_t r = 0; r < view.rank; ++r) {
      double* row = square + r * view.stride;
      for (int64_t s = 0; s <= r; ++s) packed[s] += row[s];
      packed += r + 1;
    }
    for (int64_t k = 0; k < view.stride * view.stride; ++k) square[k] = 0;
    folded = false;
  }

  void add_packed(const double* a, const double* b, double* packed) const {
    for (int64_t r = 0; r < view.rank; ++r) {
      for (int64_t s = 0; s <= r; ++s) packed[s] += a[r] * b[s];
      packed += r + 1;
    }
  }
};

struct Products {
  const CountView& view;
  double* shares;      // one row
  Triangle* triangle;  // where the cells of a row come together

  bool skips(double value) const { return value <= 0; }
  void operator()(int64_t node, int64_t row, const double* product) const {
    const double value = view.values[node];
    const double* current = factor_row(view, view.target, row);
    double model = dot(product, current, view.stride);
    if (!(model > kTiny)) model = kTiny;
    const double reciprocal = 1 / model;
    double* out = view.result + row * view.result_stride;
    if (!view.curvature) {
      const double weight = value * reciprocal;
      for (int64_t r = 0; r < view.rank; ++r) out[r] += weight * product[r];
      return;
    }
    for (int64_t r = 0; r < view.stride; ++r) shares[r] = product[r] * reciprocal;
    if (triangle != nullptr) {
      for (int64_t r = 0; r < view.rank; ++r) out[r] += value * shares[r];
      triangle->add(value, shares);
      return;
    }
    double* packed = out + view.rank;
    for (int64_t r = 0; r < view.rank; ++r) {
      const double weight = value * shares[r];
      out[r] += weight;
      for (int64_t s = 0; s <= r; ++s) packed[s] += weight * shares[s];
      packed += r + 1;
    }
  }
};

/// Sums of the products of the other modes' rows alone, or the normal equations of least squares.
struct Moments {
  const CountView& view;
  Triangle* triangle;  // where the cells of a row come together

  bool skips(double) const { return false; }
  void operator()(int64_t node, int64_t row, const double* product) const {
    double* out = view.result + row * view.result_stride;
    if (!view.curvature) {
      for (int64_t r = 0; r < view.rank; ++r) out[r] += product[r];
      return;
    }
    const double value = view.values[node];
    if (triangle != nullptr) {
      for (int64_t r = 0; r < view.rank; ++r) out[r] += value * product[r];
      triangle->add(1, product);
      return;
    }
    double* packed = out + view.rank;
    for (int64_t r = 0; r < view.rank; ++r) {
      const double weight = product[r];
      out[r] += value * weight;
      for (int64_t s = 0; s <= r; ++s) packed[s] += weight * product[s];
      packed += r + 1;
    }
  }
};

struct Sums {
  const CountView& view;
  CountTotals* totals;

  bool skips(double) const { return false; }
  void operator()(int64_t node, int64_t, const double* product) const {
    const double value = view.values[node];
    double model = 0;
    for (int64_t r = 0; r < view.rank; ++r) model += product[r];
    totals->model += model;
    totals->inner_product += value * model;
    if (value <= 0) {
      totals->deviance += model;
      return;
    }
    if (!(model > kTiny)) model = kTiny;
    const double excess = (model - value) / value;  // x log(x/m) − x + m = x (e − log(1 + e)), without cancellation
    const double logarithm =
        excess > -0.5 && excess < 1 ? __builtin_log1p(excess) : __builtin_log(model) - __builtin_log(value);
    totals->deviance += value * (excess - logarithm);
  }
};

}  // namespace

void count_products(const CountView& view, int64_t begin, int64_t end) {
  double* shares = view.scratch + (view.depth + 1) * view.stride;
  // At the root all cells of a row come one after the other.
  if (view.curvature && view.target == 0 && view.stride % kLanes == 0) {
    Triangle triangle(view);
    for (int64_t node = begin; node < end; ++node) {
      if (view.of_model)
        descend(view, 0, node, node + 1, 0, view.scratch, Products{view, shares, &triangle});
      else
        descend(view, 0, node, node + 1, 0, view.scratch, Moments{view, &triangle});
      const int64_t row = view.ids[0] != nullptr ? view.ids[0][node] : node;
      triangle.move_to(view.result + row * view.result_stride + view.rank);
    }
    return;
  }
  if (view.of_model)
    descend(view, 0, begin, end, 0, view.scratch, Products{view, shares, nullptr});
  else
    descend(view, 0, begin, end, 0, view.scratch, Moments{view, nullptr});
}

void count_sums(const CountView& view, int64_t begin, int64_t end, CountTotals* totals) {
  descend(view, 0, begin, end, 0, view.scratch, Sums{view, totals});
}

}  // namespace tempera::simd::TEMPERA_SIMD
