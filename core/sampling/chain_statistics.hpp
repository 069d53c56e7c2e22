#pragma once

#include <span>
#include <vector>

#include "core/sampling/explorer.hpp"

namespace tempera {

/// What replicas have seen in one chain: count, means and sums of products of deviations of the coordinates (Welford's
/// update, Chan's merge), and what the steps were like. Merging in a fixed order gives fixed bits.
class ChainStatistics {
 public:
  /// @param covariance  whether products of different coordinates are kept: d (d + 1) / 2 numbers in place of d
  ChainStatistics(std::size_t dimension, bool covariance);
  /// From what append_to wrote.
  ChainStatistics(std::size_t dimension, bool covariance, std::span<const double> record);

  void add(std::span<const double> u, const StepRecord& step);
  void merge(const ChainStatistics& other);

  Index count() const { return report_.count; }
  const ChainReport& report() const { return report_; }

  /// Numbers that append_to writes.
  static std::size_t width(std::size_t dimension, bool covariance);
  void append_to(std::vector<double>& record) const;

  /// What is known of the chain now: means, scales and covariance drawn towards what was known before as if that had been
  /// five draws, correlations as if by d more; scales on a logarithmic axis. Fewer than two draws say nothing.
  /// Coordinates that did not move keep their scale; step sizes stay.
  ChainTuning learnt(const ChainTuning& before) const;

 private:
  std::size_t product(std::size_t i, std::size_t j) const { return covariance_ ? i * (i + 1) / 2 + j : i; }
  std::vector<double> covariance_factor(const ChainTuning& before, std::span<const double> scales) const;

  std::size_t dimension_;
  bool covariance_;
  ChainReport report_;
  std::vector<double> mean_, products_;
  std::vector<double> change_;
};

}  // namespace tempera
