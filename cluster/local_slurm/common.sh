# shellcheck shell=bash
# Shared by up and down: where a local Slurm lives, and which of its processes live.
readonly marker=".tempera-local-slurm"

say() {
  echo "local_slurm: $*" >&2
}

fail() {  # STATUS MESSAGE [HINT]
  echo "local_slurm: error: $2" >&2
  [[ $# -lt 3 ]] || echo "hint: $3" >&2
  exit "$1"
}

# One a user; where there is no folder for what lives as long as a login, a private one below the temporary folder.
default_folder() {
  if [[ -n ${XDG_RUNTIME_DIR:-} && -O $XDG_RUNTIME_DIR ]]; then
    echo "$XDG_RUNTIME_DIR/tempera-slurm"
  else
    echo "${TMPDIR:-/tmp}/tempera-slurm-$(id -u)"
  fi
}

# The process that FOLDER/NAME.pid names, if it still is what up started: not a later process with its number.
process_of() {  # FOLDER NAME
  local process=""
  { read -r process <"$1/$2.pid"; } 2>/dev/null  # it may go away meanwhile
  [[ $process =~ ^[0-9]+$ ]] && grep -qzxF "SLURM_CONF=$1/slurm.conf" "/proc/$process/environ" 2>/dev/null || return 1
  echo "$process"
}

is_up() {  # FOLDER
  [[ -e $1/$marker && -O $1 ]] && process_of "$1" munged && process_of "$1" slurmctld
} >/dev/null
