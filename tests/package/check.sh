#!/usr/bin/env bash
# Makes the Debian package of a finished build and looks at what a user would get; nothing is installed.
#
#   tests/package/check.sh BUILD_DIR
set -euo pipefail
[[ $# -eq 1 ]] || { echo "usage: check.sh BUILD_DIR" >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$(cd "$1" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
    echo "error: $1" >&2
    exit 1
}

make_package() {
    (cd "$build" && cpack -B "$scratch/package" >"$scratch/log" 2>&1) || { cat "$scratch/log"; fail "no package"; }
    package=$(echo "$scratch"/package/datachange_*_"$(dpkg --print-architecture)".deb)
    [[ -f $package ]] || fail "not one package: $package"
}

field() { dpkg-deb --field "$package" "$1"; }

check_fields() {
    [[ $(field Package) == datachange ]] || fail "its name is $(field Package)"
    [[ "datachange $(field Version)" == "$("$tree/usr/bin/datachange" --version)" ]] || fail "its version is $(field Version)"
    local library
    for library in libarchive13 libc6 libpq5 libsqlite3-0 libssl3 libpg-query libfmt; do
        [[ " $(field Depends)" == *" $library"* ]] || fail "it does not depend on $library: $(field Depends)"
    done
}

check_files() {
    local folder=$tree/usr/share file command
    for file in bash-completion/completions/datachange zsh/vendor-completions/_datachange \
        fish/vendor_completions.d/datachange.fish man/man1/datachange.1.gz man/man5/datachange.toml.5.gz \
        doc/datachange/{README.md,copyright,changelog.gz}; do
        [[ -s $folder/$file ]] || fail "there is no /usr/share/$file"
    done
    for command in $("$tree/usr/bin/datachange" __complete "" | cut -f 1); do
        gzip --test "$folder/man/man1/datachange-$command.1.gz" || fail "$command has no page"
    done
    local strange
    strange=$(cd "$tree" && find . -type f ! -path ./usr/bin/datachange ! -path './usr/share/*')
    [[ -z $strange ]] || fail "files that are not the tool's: $strange"
    [[ -z $(find "$tree" -mindepth 1 -type d ! -perm 755) ]] || fail "folders that not everybody may enter"
}

check_program() {
    ! ldd "$tree/usr/bin/datachange" | grep "not found" || fail "libraries are missing"
    grep --quiet --text DATACHANGE_FAILPOINT "$build/failpoints/datachange" || fail "the tests' tool has no failpoints"
    ! grep --quiet --text DATACHANGE_FAILPOINT "$tree/usr/bin/datachange" || fail "it can be killed at named places"
    (
        cd "$scratch"
        sqlite3 shop.db "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, NULL)"
        mkdir audits
        cp "$root/tests/package/20260101000000_fill.sql" audits
        env -i PATH="$tree/usr/bin:/usr/bin:/bin" HOME="$scratch" datachange run fill --database shop.db
    ) || fail "it does not run"
    [[ $(sqlite3 "$scratch/shop.db" "SELECT name FROM users") == somebody ]] || fail "it has changed nothing"
}

# A build for tests alone must not become a package. Configuring tells; it is without the tests, as users configure.
check_refusal() {
    cmake -S "$root" -B "$scratch/sanitized" -DDATACHANGE_TESTS=OFF -DDATACHANGE_SANITIZE=ON >"$scratch/log" || fail "$(cat "$scratch/log")"
    if (cd "$scratch/sanitized" && cpack >"$scratch/refusal" 2>&1); then fail "a build with sanitizers became a package"; fi
    grep --quiet "no package of a build with DATACHANGE_SANITIZE" "$scratch/refusal" || fail "$(cat "$scratch/refusal")"
}

check_again() {
    cp "$package" "$scratch/first.deb"
    make_package
    cmp "$scratch/first.deb" "$package" || fail "the same source made another package"
}

make_package
tree=$scratch/tree
dpkg-deb --extract "$package" "$tree"
check_fields
check_files
check_program
check_refusal
check_again
lintian --allow-root --fail-on error,warning "$package" || fail "lintian has something to say"
echo "$(basename "$package") is fine"
