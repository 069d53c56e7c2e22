#pragma once

#include <string>

namespace tempera::drivers {

// The BLAS that this program is linked with, OpenBLAS or MKL, whose own functions are asked where they are there.

/// "OpenBLAS 0.3.21 DYNAMIC_ARCH …", "Intel(R) oneAPI Math Kernel Library Version …", or "unknown".
std::string blas_name();
/// "Haswell": for which processor its kernels are, "" if it does not say.
std::string blas_kernels();
/// Threads of a call, 0 if it does not say.
int blas_threads();
void set_blas_threads(int threads);

}  // namespace tempera::drivers
