#include "distributed/als/polar_factor.hpp"

#include <Eigen/Dense>

#include <vector>

#include "core/base/error.hpp"

namespace tempera {

namespace {

using Matrix = Eigen::MatrixXd;

/// Q of the thin factorisation and the triangle, of a matrix of any shape.
struct Factored {
  Matrix q;
  Matrix r;
};

Factored factored(const Matrix& a) {
  const Eigen::Index size = std::min(a.rows(), a.cols());
  if (size == 0) return {Matrix(a.rows(), 0), Matrix(0, a.cols())};
  const Eigen::HouseholderQR<Matrix> qr(a);
  return {qr.householderQ() * Matrix::Identity(a.rows(), size),
          qr.matrixQR().topRows(size).triangularView<Eigen::Upper>()};
}

}  // namespace

void replace_by_polar_factor(const Communicator& ranks, FactorMatrix& rows) {
  const Eigen::Index columns = rows.columns();
  Matrix local(rows.rows(), columns);
  for (Index i = 0; i < rows.rows(); ++i)
    for (Index r = 0; r < columns; ++r) local(i, r) = rows(i, r);
  Factored mine = factored(local);
  // Row by row, so that the parts of the ranks lie below each other.
  std::vector<double> packed;
  for (Eigen::Index i = 0; i < mine.r.rows(); ++i)
    for (Eigen::Index r = 0; r < columns; ++r) packed.push_back(mine.r(i, r));
  std::vector<double> stacked = ranks.gather(std::span<const double>(packed), 0);
  if (ranks.is_root()) {
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    Eigen::Map<RowMajor> all(stacked.data(), static_cast<Eigen::Index>(stacked.size()) / columns, columns);
    if (!all.allFinite())
      throw Error(Category::numerical, "", "the right-hand side of a mode is not finite",
                  "the values overflow: scale the tensor, for example to unit maximum");
    const Factored top = factored(all);
    const Eigen::JacobiSVD<Matrix> svd(top.r, Eigen::ComputeFullU | Eigen::ComputeFullV);
    all = top.q * svd.matrixU() * svd.matrixV().transpose();
  }
  const Index before = ranks.exclusive_sum(static_cast<Index>(packed.size()));
  const Index total = ranks.all_reduce_value(static_cast<Index>(packed.size()), Reduction::sum);
  stacked.resize(static_cast<std::size_t>(total));
  ranks.broadcast(std::span<double>(stacked), 0);
  Matrix part(mine.r.rows(), columns);
  for (Eigen::Index i = 0; i < part.rows(); ++i)
    for (Eigen::Index r = 0; r < columns; ++r) part(i, r) = stacked[static_cast<std::size_t>(before + i * columns + r)];
  const Matrix result = mine.q * part;
  for (Index i = 0; i < rows.rows(); ++i)
    for (Index r = 0; r < columns; ++r) rows(i, r) = result(i, r);
}

}  // namespace tempera
