#include "drivers/blas_library.hpp"

#include <array>
#include <cstring>

// Weak: of these only those of the library that is linked are there.
extern "C" {
[[gnu::weak]] char* openblas_get_config();
[[gnu::weak]] char* openblas_get_corename();
[[gnu::weak]] int openblas_get_num_threads();
[[gnu::weak]] void openblas_set_num_threads(int threads);
[[gnu::weak]] void MKL_Get_Version_String(char* text, int length);
[[gnu::weak]] int MKL_Get_Max_Threads();
[[gnu::weak]] void MKL_Set_Num_Threads(int threads);
}

namespace tempera::drivers {

namespace {

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

std::string blas_name() {
  if (openblas_get_config != nullptr) return trimmed(openblas_get_config());
  if (MKL_Get_Version_String != nullptr) {
    std::array<char, 200> text{};
    MKL_Get_Version_String(text.data(), static_cast<int>(text.size()));
    return trimmed(std::string(text.data(), strnlen(text.data(), text.size())));
  }
  return "unknown";
}

std::string blas_kernels() {
  return openblas_get_corename != nullptr ? openblas_get_corename() : "";
}

int blas_threads() {
  if (openblas_get_num_threads != nullptr) return openblas_get_num_threads();
  return MKL_Get_Max_Threads != nullptr ? MKL_Get_Max_Threads() : 0;
}

void set_blas_threads(int threads) {
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(threads);
  if (MKL_Set_Num_Threads != nullptr) MKL_Set_Num_Threads(threads);
}

}  // namespace tempera::drivers
