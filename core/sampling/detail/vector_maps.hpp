#pragma once

#include "core/sampling/detail/scalar_maps.hpp"

namespace tempera::detail {

/// θ_k = θ_{k−1} + e^{u_k}; θ_0 = u_0, or e^{u_0} if positive.
struct OrderedMap {
  bool positive;
  double forward(In u, Out theta) const;
  void inverse(In theta, Out u) const;
  void pull_back(In u, In theta, In theta_gradient, Out u_gradient) const;
  void add_jacobian_gradient(In u, In theta, Out u_gradient) const;
};

/// Stick breaking: θ_k takes the share 1/(1 + e^{−v_k}) of what is left, v_k = u_k − log(K − 1 − k).
struct SimplexMap {
  double forward(In u, Out theta) const;
  void inverse(In theta, Out u) const;
  void pull_back(In u, In theta, In theta_gradient, Out u_gradient) const;
  void add_jacobian_gradient(In u, In theta, Out u_gradient) const;
};

struct UnitVectorMap {
  double forward(In u, Out theta) const;
  void inverse(In theta, Out u) const;
  void pull_back(In u, In theta, In theta_gradient, Out u_gradient) const;
  void add_jacobian_gradient(In u, In theta, Out u_gradient) const;
};

/// Row i of the factor: θ_ij = s_j tanh(u_ij) for j < i, s_{j+1} = s_j sech(u_ij), s_0 = 1, θ_ii = s_i.
struct CholeskyCorrelationMap {
  double forward(In u, Out theta) const;
  void inverse(In theta, Out u) const;
  void pull_back(In u, In theta, In theta_gradient, Out u_gradient) const;
  void add_jacobian_gradient(In u, In theta, Out u_gradient) const;
};

/// Helmert's basis: column i has i equal entries, then −i times that; columns of length one.
struct SumToZeroMap {
  double forward(In u, Out theta) const;
  void inverse(In theta, Out u) const;
  void pull_back(In u, In theta, In theta_gradient, Out u_gradient) const;
  void add_jacobian_gradient(In, In, Out) const {}
};

}  // namespace tempera::detail
