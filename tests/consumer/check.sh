#!/usr/bin/env bash
# Installs a finished build into a scratch folder, then configures, builds and runs project/ against what lies there.
#
#   tests/consumer/check.sh BUILD_DIR
set -euo pipefail
[[ $# -eq 1 ]] || { echo "usage: check.sh BUILD_DIR" >&2; exit 2; }
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/project" && pwd)
build=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A library built under sanitizers can only be linked under them.
setting() { sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"; }
flags=
if [[ "$(setting DATACHANGE_SANITIZE)" == ON ]]; then flags="-fsanitize=address,undefined"; fi

cmake --install "$build" --prefix "$scratch/prefix"
"$scratch/prefix/bin/datachange" --version
for file in man/man1/datachange.1 man/man1/datachange-run.1 man/man5/datachange.toml.5 doc/datachange/LICENSE \
    bash-completion/completions/datachange zsh/site-functions/_datachange fish/vendor_completions.d/datachange.fish; do
    [[ -s $scratch/prefix/share/$file ]] || { echo "error: share/$file is not installed" >&2; exit 1; }
done
cmake -S "$project" -B "$scratch/build" -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_BUILD_TYPE="$(setting CMAKE_BUILD_TYPE)" \
    -DCMAKE_CXX_COMPILER="$(setting CMAKE_CXX_COMPILER)" -DCMAKE_CXX_FLAGS="$flags"
cmake --build "$scratch/build"
"$scratch/build/consumer" "$scratch"
