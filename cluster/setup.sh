#!/usr/bin/env bash
# From a fresh Debian or Ubuntu machine to a tested build; every step may be repeated. See usage below.
set -euo pipefail

root="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)"
readonly root
readonly table="$root/cluster/dependencies.txt"
readonly minimum_cmake=3.25
readonly kib_per_job=$((3 * 512 * 1024))  # the largest translation units need about 1.5 GiB
readonly environment_failure=5

usage() {
  cat <<TEXT
usage: cluster/setup.sh deps|build|demo|test

  deps    install the missing Debian/Ubuntu packages (as root or through sudo)
  build   deps, then build/tempera
  demo    build, then run a study on two MPI ranks: the letter trigrams of a licence text, how many components they
          have (Bayesian optimisation), the factors, and their posterior (parallel tempering); about a minute
  test    deps, then build everything and run the test suite
TEXT
}

say() { printf '== %s\n' "$*"; }

fail() {  # STATUS MESSAGE HINT
  printf 'setup: error: %s\nhint: %s\n' "$2" "$3" >&2
  exit "$1"
}

column() {  # COLUMN [APT-NAME…]: the names in that column of the table, once each; all of them or those of the given packages
  awk -v c="$1" -v wanted=" ${*:2} " '!/^#/ && NF && $c != "-" && (wanted == "  " || index(wanted, " " $1 " ")) && !seen[$c]++ {
    print $c }' "$table"
}

names_elsewhere() {  # APT-NAME…: the same libraries for people without these packages
  printf '  Debian:       %s\n  Spack:        %s\n  conda-forge:  %s\n' \
    "$*" "$(column 3 "$@" | paste -sd ' ')" "$(column 4 "$@" | paste -sd ' ')"
}

# --- deps ----------------------------------------------------------------------------------------------------------

require_root() {
  [[ $EUID -eq 0 ]] && return
  command -v sudo >/dev/null || fail $environment_failure \
    "installing packages needs root, and sudo is not there: ${missing[*]}" \
    "run 'cluster/setup.sh deps' as root once, then this command again as yourself"
  sudo -n true 2>/dev/null || { : </dev/tty; } 2>/dev/null || fail $environment_failure \
    "installing packages needs root, and without a terminal sudo cannot ask for a password: ${missing[*]}" \
    "run 'cluster/setup.sh deps' from a terminal or as root once, then this command again"
}

apt() {
  local prefix=()
  [[ $EUID -eq 0 ]] || prefix=(sudo)
  "${prefix[@]}" env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    apt-get -q -o DPkg::Lock::Timeout=300 "$@" </dev/null ||
    fail $environment_failure "apt-get $1 failed; its own message stands above" \
      "check the network, the package sources and the free disk space, then repeat"
}

cmake_is_recent() {
  local version
  version="$(cmake --version 2>/dev/null | awk 'NR == 1 { print $3 }')"
  [[ -n $version ]] && dpkg --compare-versions "$version" ge $minimum_cmake
}

find_missing() {  # sets `missing`
  local package installed
  installed=" $(dpkg-query -W -f '${Package}:${db:Status-Status} ' "${packages[@]}" 2>/dev/null || true)"
  missing=()
  for package in "${packages[@]}"; do
    [[ $package == cmake ]] && cmake_is_recent && continue
    [[ $installed == *" $package:installed "* ]] || missing+=("$package")
  done
}

refuse_what_the_release_lacks() {
  local package candidate absent=()
  for package in "${missing[@]}"; do
    candidate="$(apt-cache policy "$package" | awk '$1 == "Candidate:" { print $2 }')"
    if [[ -z $candidate || $candidate == "(none)" ]]; then
      absent+=("$package")
    elif [[ $package == cmake ]] && dpkg --compare-versions "$candidate" lt $minimum_cmake; then
      absent+=("cmake (>= $minimum_cmake; here $candidate)")
    fi
  done
  [[ ${#absent[@]} -eq 0 ]] && return
  names_elsewhere "${missing[@]}" >&2
  fail $environment_failure "this release has no package for: $(printf '%s, ' "${absent[@]}" | sed 's/, $//')" \
    "use Debian >= 12 or Ubuntu >= 24.04 (with 'universe' enabled), or install the libraries above and see cluster/README.md"
}

deps() {
  mapfile -t packages < <(column 1)
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    names_elsewhere "${packages[@]}" >&2
    fail $environment_failure "this machine has no apt; Tempera needs the libraries above" \
      "install them with Spack or conda, then: cmake --preset release && cmake --build --preset release"
  fi
  find_missing
  if [[ ${#missing[@]} -eq 0 ]]; then
    say "packages: all ${#packages[@]} are installed"
    return
  fi
  require_root
  say "packages: installing ${missing[*]}"
  apt update
  refuse_what_the_release_lacks
  apt install -y --no-install-recommends "${missing[@]}"
}

# --- build ---------------------------------------------------------------------------------------------------------

cores() {  # whatever threads a program may start
  env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc
}

jobs() {  # one a core, fewer where memory is short
  local cores available by_memory
  cores="$(cores)"
  available="$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo 2>/dev/null)"
  by_memory=$((${available:-$kib_per_job} / kib_per_job))
  ((by_memory < 1)) && by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}

build() {  # TARGET
  say "configuring $root/build"
  (cd "$root" && cmake --preset release ${TEMPERA_DATA_DIR:+"-DTEMPERA_DATA_DIR=$TEMPERA_DATA_DIR"})
  say "building $1 with $(jobs) jobs"
  cmake --build "$root/build" --target "$1" --parallel "$(jobs)"
}

# --- demo and test -------------------------------------------------------------------------------------------------

mpi_environment() {
  # Open MPI refuses root unless told; inside containers its single-copy transfers are forbidden and only warn.
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export OMPI_MCA_btl_vader_single_copy_mechanism="${OMPI_MCA_btl_vader_single_copy_mechanism:-none}"
  export OPENBLAS_NUM_THREADS=1
}

demo_text() {  # the text whose letters are counted: of no other licence is it as short
  local text=/usr/share/common-licenses/BSD
  [[ -f $text ]] || text="$root/LICENSE"
  echo "$text"
}

fresh_run_folder() {
  local name number=1
  name="$root/runs/demo-$(date +%Y%m%d-%H%M%S)"
  while [[ -e $name-$number ]]; do number=$((number + 1)); done
  echo "$name-$number"
}

demo() {
  local mpirun run study="$root/drivers/studies/rank_search.toml"
  mpi_environment
  export TEMPERA_TEXT="${TEMPERA_TEXT:-$(demo_text)}"
  mkdir -p "$root/runs"
  mpirun="$(sed -n 's/^MPIEXEC_EXECUTABLE:[A-Z]*=//p' "$root/build/CMakeCache.txt")"
  run="$(fresh_run_folder)"
  say "running $study on two MPI ranks"
  # Open MPI counts cores, not hardware threads, so even two ranks may be more than it allows unasked.
  OMPI_MCA_rmaps_base_oversubscribe=1 "${mpirun:-mpirun}" -n 2 "$root/build/tempera" run "$study" --output "$run" </dev/null
  say "demo: done in $SECONDS s"
  printf 'run folder: %s\nreport: %s\n' "$run" "$run/summary.txt"
}

run_tests() {
  local data="${TEMPERA_DATA_DIR:-$root/../shared/data}"
  mpi_environment
  if [[ -d $data ]]; then
    say "real data: $data"
  else
    say "real data: none beside the checkout; the tests that read it will say they are skipped"
  fi
  (cd "$root" && ctest --preset release --parallel "$(cores)" --no-tests=error </dev/null)
}

# Under sudo the checkout stays its owner's: packages are installed as root, all else runs as the caller.
return_to_caller() {  # COMMAND
  [[ $EUID -eq 0 && -n ${SUDO_USER:-} && ${SUDO_USER:-root} != root ]] || return 0
  sudo -u "$SUDO_USER" test -w "$root" || return 0
  exec sudo -H -u "$SUDO_USER" -- "$root/cluster/setup.sh" "$1"
}

main() {
  [[ $# -eq 1 ]] || { usage >&2; exit 2; }
  case "$1" in
    deps) deps ;;
    build) deps; return_to_caller "$1"; build tempera ;;
    demo) deps; return_to_caller "$1"; build tempera; demo; return ;;
    test) deps; return_to_caller "$1"; build all; run_tests ;;
    -h|--help) usage; return ;;
    *) usage >&2; exit 2 ;;
  esac
  say "$1: done in $SECONDS s"
}

main "$@"
