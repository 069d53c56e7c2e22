#include "core/sampling/target.hpp"

#include "core/base/error.hpp"

namespace tempera {

void Target::sample_reference(RandomStream&, std::span<double>) {
  throw Error(Category::usage, "", "the reference of this target cannot be sampled",
              "a Gaussian or variational reference needs no draws from the prior");
}

void Target::constrain(std::span<const double> u, std::span<double> theta) const {
  layout_.constrain(u, theta);
}

void Target::unconstrain(std::span<const double> theta, std::span<double> u) const {
  layout_.unconstrain(theta, u);
}

}  // namespace tempera
