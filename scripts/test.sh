#!/bin/sh
# Builds what is shipped, runs every test of the workspace, and insists that the real ~/.ssh is as it was.
# usage: scripts/test.sh [CARGO OPTION]...
set -eu
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
# OpenSSH asks the password database, not $HOME, where the home is.
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6)
ssh_dir=${home:-$HOME}/.ssh

state() {
    if [ -e "$ssh_dir" ]; then
        ls -laRin "$ssh_dir"
        find "$ssh_dir" -type f -exec cksum {} +
    else
        echo absent
    fi
}

before=$(state)
"$cargo" build "$@" -p moorline-cli -p moorline-app
# `make run` finds the program by the package alone.
"$cargo" run "$@" --quiet -p moorline-cli -- --version
if "$cargo" nextest --version >/dev/null 2>&1; then
    "$cargo" test "$@" --workspace --doc
    "$cargo" nextest run "$@" --workspace --no-fail-fast
else
    "$cargo" test "$@" --workspace --no-fail-fast
fi
if [ "$before" != "$(state)" ]; then
    echo "The tests changed $ssh_dir, which they never may." >&2
    exit 1
fi
