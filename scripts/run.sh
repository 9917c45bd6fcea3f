#!/bin/sh
# Starts the tray where there is a desktop, else the demo.
# usage: scripts/run.sh [CARGO OPTION]...
set -eu
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

if [ "$(uname -s)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    echo 'There is no display here, so this is the demo: a practice runtime that restarts.'
    scripts/setup.sh run
    "$cargo" run "$@" -p moorline-cli -- demo
    echo 'To follow runtimes of your own without a display: moorline add, then moorline watch.'
    exit 0
fi

scripts/setup.sh app
scripts/ui.sh
"$cargo" build "$@" -p moorline-cli -p moorline-app
"$cargo" run "$@" -p moorline-app --bin moorline-tray
