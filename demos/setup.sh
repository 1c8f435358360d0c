# Sourced by demos/run.sh and tests/run.sh: what a fresh machine needs, and a build folder.
# Results go to stdout, everything here to stderr.

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

# Exit code 3: the environment can't run it.
cannot() {
  say "$@"
  exit 3
}

# install_packages yes|no: brings what packages.txt lists and is missing. Nothing missing: does
# nothing, needs no rights and no network.
install_packages() {
  local may_install=$1 package as_root=() missing=()
  if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
    say "No apt here: install what demos/packages.txt lists by its names on this system." \
      "Libraries that are missing are built from subprojects/."
    return
  fi
  for package in $(grep -v '^#' "$source_dir/demos/packages.txt"); do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null) == installed ]] ||
      missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then return; fi

  local line="apt-get install -y --no-install-recommends ${missing[*]}"
  if [[ $may_install == no ]]; then cannot "Missing packages. Install them with: sudo $line"; fi
  if [[ $(id -u) != 0 ]]; then
    # sudo may ask for a password only where somebody can type one.
    if ! command -v sudo > /dev/null || { ! sudo -n true 2> /dev/null && [[ ! -t 0 ]]; }; then
      cannot "Missing packages, and no rights to install them. Run as root: $line"
    fi
    as_root=(sudo)
  fi
  say "Installing ${missing[*]}"
  {
    "${as_root[@]}" apt-get update -q &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $line
  } >&2 || cannot "Installing failed. The line was: $line"
}

# configure DIR [OPTION...]: sets the build folder up unless it is.
configure() {
  local build_dir=$1
  shift
  [[ -f $build_dir/build.ninja ]] && return
  meson setup "$build_dir" "$source_dir" "$@" | { grep -v '^Configuring ' || true; } >&2
}

# What both commands build with: optimised as measured, without the debug data that takes longest.
build_options=(-Doptimization=2 -Ddebug=false)
