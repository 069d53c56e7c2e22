#include <array>
#include <iostream>

#include "core/base/build_info.hpp"
#include "core/tensor/sparse_tensor.hpp"

int main() {
  tempera::SparseTensor tensor({2, 3, 4});
  tensor.append(std::array<tempera::Index, 3>{1, 2, 3}, 1.5);
  tensor.append(std::array<tempera::Index, 3>{1, 2, 3}, 0.5);
  std::cout << "tempera " << tempera::build_info().version << ": " << tensor.sum_duplicates() << " merged, value "
            << tensor.values()[0] << "\n";
}
