#pragma once

namespace tempera {

/// One coordinate of a normal distribution of standard deviation stretch · deviation.
struct CmaMarginal {
  double mean = 0;
  double stretch = 1;
};

/// Mends the coordinate of an integer so that it does not get stuck: between the edges of the cell that holds the mean, each
/// neighbouring cell keeps a probability of at least margin/2; in the first and the last cell the other side keeps `margin`.
/// Hamano, Saito, Nomura & Shirakawa 2022 (CMA-ES with margin), §4.
///
/// @param deviation  of the coordinate without the stretch, > 0
/// @param below, above  edges of the cell; infinite where there is none
/// @param margin     below ½
CmaMarginal with_margin(CmaMarginal marginal, double deviation, double below, double above, double margin);

}  // namespace tempera
