#!/bin/sh
# count_letters.sh TEMPERA TEXT [COUNTS]: counts letter trigrams of TEXT, unless COUNTS is there already; prints where they are.
set -eu
counts="${3:-}"
if [ -z "$counts" ]; then
  counts="$TEMPERA_STAGE_DIR/trigrams.tns"
  "$1" convert --ngrams 3 --overwrite "$2" "$counts" >&2
fi
printf '{"path": "%s"}\n' "$counts"
