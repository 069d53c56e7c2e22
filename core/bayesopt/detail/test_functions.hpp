#pragma once

#include <span>

/// Test functions of optimisation in natural coordinates; their boxes and optima are in objectives.cpp. Formulae as collected by
/// Surjanovic & Bingham, "Virtual Library of Simulation Experiments".
namespace tempera::detail {

using Coordinates = std::span<const double>;

double branin(Coordinates x);           ///< Dixon & Szegő 1978
double hartmann3(Coordinates x);        ///< Hartmann 1973
double hartmann6(Coordinates x);        ///< Hartmann 1973
double six_hump_camel(Coordinates x);   ///< Dixon & Szegő 1978
double goldstein_price(Coordinates x);  ///< Goldstein & Price 1971
double ackley(Coordinates x);           ///< Ackley 1987; a = 20, b = 0.2, c = 2π
double levy(Coordinates x);             ///< Laguna & Martí 2005
double rosenbrock(Coordinates x);       ///< Rosenbrock 1960, as a chain
double styblinski_tang(Coordinates x);  ///< Styblinski & Tang 1990
double rastrigin(Coordinates x);        ///< Rastrigin 1974
double sphere(Coordinates x);           ///< the sum of squares

}  // namespace tempera::detail
