#pragma once

#include <filesystem>
#include <span>

#include "core/io/labels.hpp"
#include "core/tensor/sparse_tensor.hpp"

namespace tempera {

/// Letters a to z, then the space.
inline constexpr Index kNgramAlphabet = 27;

/// Counts of the n-grams of letters in texts: order n, every mode of size 27, entry (i, j, …) is how often letter i is
/// followed by letter j and so on. Upper case counts as lower case; every run of other bytes is one space. No n-gram
/// spans two files. Sorted by coordinates.
/// Memory: one entry a different n-gram; texts are read in blocks.
/// @throws Error{usage} for n outside 2..8 or without texts; Error{input} if no n-gram is found; as check_input_file does
SparseTensor count_ngrams(std::span<const std::filesystem::path> texts, int n);

/// Names of the modes ("first letter" …) and of the letters; the space is written "_".
TensorLabels ngram_labels(int n);

}  // namespace tempera
