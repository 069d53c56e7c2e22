#include "core/io/ngrams.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/base/error.hpp"
#include "core/io/detail/byte_source.hpp"
#include "core/io/input_file.hpp"

namespace tempera {

namespace {
constexpr std::size_t kBlockBytes = std::size_t{1} << 18;
constexpr std::uint64_t kSpace = 26;

std::uint64_t letter_of(char c) {
  if (c >= 'a' && c <= 'z') return static_cast<std::uint64_t>(c - 'a');
  if (c >= 'A' && c <= 'Z') return static_cast<std::uint64_t>(c - 'A');
  return kSpace;
}

using Counts = std::unordered_map<std::uint64_t, std::uint64_t>;  // n-grams as numbers of n digits in base 27

void count_text(const std::filesystem::path& path, int n, Counts& counts) {
  check_input_file(path);
  const auto source = detail::open_file_source(path, 0);
  std::uint64_t modulus = 1;
  for (int k = 0; k < n; ++k) modulus *= kNgramAlphabet;
  std::vector<char> block(kBlockBytes);
  std::uint64_t window = 0, previous = kSpace + 1;
  int letters = 0;
  while (const std::size_t size = source->read(block)) {
    for (const char c : std::span(block).first(size)) {
      const std::uint64_t letter = letter_of(c);
      if (letter == kSpace && previous == kSpace) continue;
      previous = letter;
      window = (window * kNgramAlphabet + letter) % modulus;
      letters = std::min(letters + 1, n);
      if (letters == n) ++counts[window];
    }
  }
}
}  // namespace

SparseTensor count_ngrams(std::span<const std::filesystem::path> texts, int n) {
  if (n < kMinimumOrder || n > kMaximumOrder)
    throw Error(Category::usage, "--ngrams", fmt::format("{} letters make a tensor of order {}", n, n),
                "from 2 to 8 are supported");
  if (texts.empty())
    throw Error(Category::usage, "--ngrams", "no text is given", "name at least one text file before the output");
  Counts counts;
  for (const auto& path : texts) count_text(path, n, counts);
  if (counts.empty())
    throw Error(Category::input, texts.front().string(), fmt::format("no text holds {} letters in a row", n),
                "use longer texts or a smaller --ngrams");

  std::vector<std::pair<std::uint64_t, std::uint64_t>> sorted(counts.begin(), counts.end());
  std::sort(sorted.begin(), sorted.end());
  SparseTensor tensor(std::vector<Index>(static_cast<std::size_t>(n), kNgramAlphabet));
  tensor.reserve(static_cast<Index>(sorted.size()));
  std::vector<Index> coordinates(static_cast<std::size_t>(n));
  for (auto [code, count] : sorted) {
    for (std::size_t mode = coordinates.size(); mode-- > 0; code /= kNgramAlphabet)
      coordinates[mode] = static_cast<Index>(code % kNgramAlphabet);
    tensor.append(coordinates, static_cast<double>(count));
  }
  return tensor;
}

TensorLabels ngram_labels(int n) {
  constexpr std::array<const char*, kMaximumOrder> kOrdinals{"first", "second", "third",   "fourth",
                                                             "fifth", "sixth",  "seventh", "eighth"};
  std::vector<std::string> letters;
  for (char c = 'a'; c <= 'z'; ++c) letters.emplace_back(1, c);
  letters.emplace_back("_");
  TensorLabels labels;
  for (int mode = 0; mode < n; ++mode)
    labels.push_back({std::string(kOrdinals[static_cast<std::size_t>(mode)]) + " letter", letters});
  return labels;
}

}  // namespace tempera
