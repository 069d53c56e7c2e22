#!/bin/sh
# word_ranks.sh TEXT: the 100 most frequent words of TEXT as data of a regression: y = log frequency (centred) on powers of
# log rank. Writes line.json, parabola.json, cubic.json and flat.json (a constant alone) to the stage's folder.
set -eu
export LC_ALL=C
# shellcheck disable=SC2018,SC2019  # English letters
tr -cs 'A-Za-z' '\n' <"$1" | tr 'A-Z' 'a-z' | grep . | sort | uniq -c | sort -k1,1nr -k2 | head -n 100 >"$TEMPERA_STAGE_DIR/words"
for model in flat:1 line:2 parabola:3 cubic:4; do
  awk -v columns="${model#*:}" '
    { y[NR] = log($1); sum += y[NR]; u[NR] = log(NR) }
    END {
      half = log(NR) / 2
      for (i = 1; i <= NR; ++i) {
        row = "1"
        for (k = 1; k < columns; ++k) row = sprintf("%s, %.12g", row, (u[i] / half - 1) ^ k)
        xs = xs (i > 1 ? ", " : "") "[" row "]"
        ys = ys (i > 1 ? ", " : "") sprintf("%.12g", y[i] - sum / NR)
      }
      printf "{\"x\": [%s],\n \"y\": [%s]}\n", xs, ys
    }' "$TEMPERA_STAGE_DIR/words" >"$TEMPERA_STAGE_DIR/${model%:*}.json"
done
