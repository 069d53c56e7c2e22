#include "drivers/commands/plan/scaling_figure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <ranges>

namespace tempera::drivers {

namespace {

constexpr double kLeft = 60, kTop = 40, kWidth = 520, kHeight = 360;  // of the axes
constexpr double kLabel = 36;                                         // below an axis
constexpr std::array kColours = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf"};

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
  return safe;
}

}  // namespace

std::string scaling_figure(const std::string& title, std::span<const ScalingCurve> curves) {
  int last = 2;
  for (const ScalingCurve& curve : curves) last = std::max(last, curve.points.back().first);
  const double most = std::log2(last);
  const auto x_of = [&](double ranks) { return kLeft + kWidth * std::log2(ranks) / most; };
  const auto y_of = [&](double speedup) {
    return kTop + kHeight * (1 - std::clamp(std::log2(speedup) / most, 0.0, 1.0));
  };
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 460\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"640\" height=\"460\" fill=\"white\"/>\n<text x=\"60\" y=\"24\">{}</text>\n"
      "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#888\"/>\n"
      "<path d=\"M{} {}L{} {}\" stroke=\"#bbb\" stroke-dasharray=\"4 4\"/>\n",
      escaped(title), kLeft, kTop, kWidth, kHeight, kLeft, kTop + kHeight, kLeft + kWidth, kTop);
  double y = 60;
  for (std::size_t k = 0; k < curves.size(); ++k) {
    const char* colour = kColours[k % kColours.size()];
    std::string path;
    for (const auto& [ranks, speedup] : curves[k].points)
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x_of(ranks), y_of(speedup));
    svg += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n", path, colour);
    svg += fmt::format("<text x=\"70\" y=\"{}\" fill=\"{}\">{}</text>\n", y, colour, escaped(curves[k].name));
    y += 16;
  }
  double next = std::numeric_limits<double>::infinity();
  for (const auto& [ranks, speedup] : curves.front().points | std::views::reverse) {
    if (next - x_of(ranks) < kLabel) continue;
    next = x_of(ranks);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"418\" text-anchor=\"middle\">{}</text>\n", next, ranks);
  }
  return svg +
         "<text x=\"320\" y=\"444\" text-anchor=\"middle\">MPI ranks</text>\n"
         "<text x=\"16\" y=\"220\" transform=\"rotate(-90 16 220)\" text-anchor=\"middle\">speed-up</text>\n</svg>\n";
}

}  // namespace tempera::drivers
