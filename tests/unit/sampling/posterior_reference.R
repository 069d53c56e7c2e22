# Rscript posterior_reference.R [FOLDER OF posteriordb] > posterior_reference.hpp
# Reference values from R's package posterior (1.7.1). Draws come from a Lehmer generator and exactly rounded arithmetic,
# so that C++ (reference_chains.hpp) makes the same bits.
suppressMessages(library(posterior))
options(digits = 17, warn = -1)

uniforms <- function(n, seed) {
  state <- seed
  u <- numeric(n)
  for (i in seq_len(n)) {
    state <- (16807 * state) %% 2147483647
    u[i] <- state / 2147483647
  }
  u
}

one_chain <- function(draws, seed, phi) {
  u <- matrix(uniforms(4 * draws, seed), nrow = 4)
  noise <- (((u[1, ] + u[2, ]) + u[3, ]) + u[4, ] - 2) * sqrt(3)
  x <- numeric(draws)
  before <- 0
  for (t in seq_len(draws)) x[t] <- before <- phi * before + noise[t]
  x
}

shaped <- function(x, shape) {
  chains <- ncol(x)
  t <- row(x) - 1
  last <- col(x) == chains
  switch(shape,
    plain = x,
    shifted = x + ifelse(last, 1.5, 0),
    scaled = x * ifelse(last, 5, 1),
    rounded = floor(2 * x),
    signs = ifelse(x > 0, 1, -1),
    rare = ifelse(x > 1.5, 1, 0),
    alternating = ifelse(t %% 2 == 0, 1, -1) + 0 * x,
    cubed = x * x * x,
    drifting = x + 3 * t / nrow(x),
    distant = 1e6 + x / 64,
    tiny = x / 1048576,
    constant = 0 * x + 3.25,
    stuck = 0 * x + (col(x) - 1),
    half_stuck = ifelse(last, 0.5, x))
}

sets <- read.table(header = TRUE, text = "
shape       chains draws seed phi
plain            4   500   11 0
plain            4  1000   23 0.9
plain            4   400   31 -0.5
plain            4   300   37 -0.95
plain            2  5000   41 0.99
plain            1   300   43 0.5
plain            3   101   47 0.3
plain            1     7   53 0
plain            4     4   59 0
plain            4     5   61 0
plain            4     6   67 0
plain            4     7   71 0
plain            4    11   72 0.2
plain            4    12   73 0.2
plain            4    13   74 -0.2
plain           16    40   75 0.5
shifted          4   200   79 0.2
scaled           4   200   83 0.2
rounded          3   251   89 0.4
signs            4   150   97 0
rare             4   200  101 0.3
alternating      4   100  103 0
alternating      2    51  107 0
cubed            4   500  109 0.6
drifting         4   300  113 0
distant          4   200  127 0.5
tiny             4   200  131 0.5
constant         4    50  137 0
stuck            4    50  139 0
half_stuck       4   120  149 0.4
")

folded_rhat <- function(x) posterior:::.rhat(posterior:::z_scale(posterior:::.split_chains(posterior:::fold_draws(x))))
bulk_rhat <- function(x) posterior:::.rhat(posterior:::z_scale(posterior:::.split_chains(x)))

summary_values <- function(x) {
  c(mean(x), sd(x), quantile2(x, 0.05), quantile2(x, 0.5), quantile2(x, 0.95), rhat(x), ess_bulk(x), ess_tail(x),
    mcse_mean(x), mcse_sd(x))
}
other_values <- function(x) {
  nested <- if (ncol(x) %% 2 == 0) rhat_nested(x, superchain_ids = (seq_len(ncol(x)) - 1) %/% 2) else NaN
  c(bulk_rhat(x), folded_rhat(x), ess_mean(x), ess_sd(x), ess_median(x), ess_quantile(x, 0.25), ess_quantile(x, 1),
    mcse_quantile(x, 0.05), mcse_median(x), mcse_quantile(x, 0.99), nested)
}
numbers <- function(values) {
  text <- sprintf("%.17g", values)
  text[is.na(values)] <- "kNaN"
  text[!is.na(values) & values > 1e12] <- "kInfinity" # what is left of a variance of zero, in the divisor
  text
}
print_row <- function(head, values) {
  cat(strwrap(paste0("{", head, ", {", paste(numbers(values), collapse = ", "), "}},"), width = 119, indent = 4, exdent = 5),
      sep = "\n")
}

cat("// Written by posterior_reference.R with posterior ", as.character(packageVersion("posterior")), "; not by hand.\n", sep = "")
cat('#pragma once\n\n#include "tests/unit/sampling/reference_chains.hpp"\n\nnamespace tempera::test {\n\n// clang-format off\n')
cat("inline const std::vector<ReferenceSet> kReferenceSets = {\n")
for (i in seq_len(nrow(sets))) {
  s <- sets[i, ]
  x <- shaped(sapply(seq_len(s$chains), function(k) one_chain(s$draws, s$seed * 1000 + k, s$phi)), s$shape)
  print_row(sprintf('"%s", %d, %d, %d, %s', s$shape, s$chains, s$draws, s$seed, format(s$phi, digits = 6)),
            c(summary_values(x), other_values(x)))
}
cat("};\n\n")
folder <- commandArgs(trailingOnly = TRUE)
cat("inline const std::vector<ReferencePosterior> kReferencePosteriors = {\n")
if (length(folder) == 1) {
  for (file in sort(Sys.glob(file.path(folder, "*.draws1000.csv")))) {
    draws <- read.csv(file, check.names = FALSE)
    for (name in names(draws)[unique(c(2, ncol(draws)))]) {
      x <- sapply(split(draws[[name]], draws$chain), identity)
      print_row(sprintf('"%s", "%s"', sub(".draws1000.csv", "", basename(file), fixed = TRUE), name), summary_values(x))
    }
  }
}
cat("};\n// clang-format on\n\n}  // namespace tempera::test\n")
