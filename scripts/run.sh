#!/bin/sh
# Starts the tray where there is a desktop, else the demo.
# usage: scripts/run.sh [CARGO OPTION]...
set -eu
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

if [ "$(uname -s)" = Linux ] && [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    echo 'There is no display here, so this is the demo: a practice runtime that restarts.'
    scripts/setup.sh run
    . scripts/env.sh
    "$cargo" run "$@" -p moorline-cli -- demo
    echo 'To follow runtimes of your own without a display: moorline add, then moorline watch.'
    exit 0
fi

scripts/setup.sh app
. scripts/env.sh
scripts/ui.sh
"$cargo" build "$@" -p moorline-cli -p moorline-app
# Somebody who follows nothing yet may want to see it work first.
if [ -t 0 ] && "$cargo" run --quiet "$@" -p moorline-cli -- status --json | grep -q '"sessions": \[\]'; then
    printf 'You follow no session yet. See a practice runtime restart first, in a throw-away home? [Y/n] '
    read -r answer || answer=n
    case $answer in
    [nN]*) ;;
    *) "$cargo" run --quiet "$@" -p moorline-cli -- demo ;;
    esac
fi
"$cargo" run "$@" -p moorline-app --bin moorline-tray
