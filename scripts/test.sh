#!/bin/sh
# Builds what is shipped, and runs the tests of the workspace where the account's home is covered.
# usage: scripts/test.sh [OPTION OR FILTER OF THE TEST RUN]...
#   such as `scripts/test.sh --test crash killed`; without any, every test runs.
set -eu
cd "$(dirname "$0")/.."
. scripts/env.sh
cargo=${CARGO:-cargo}
# In CI the lock file is what was tested.
locked=${CI:+--locked}

# shellcheck disable=SC2086 # an option or nothing
{
    # Building needs the network and the home, running needs neither. The whole workspace at once, since a part of it
    # asks for other features of what it depends on, which would all be compiled twice.
    "$cargo" build $locked --workspace
    "$cargo" test $locked --workspace --no-run "$@"
    if [ $# = 0 ]; then
        scripts/apart.sh "$cargo" test $locked --offline --workspace --doc
    fi
    if "$cargo" nextest --version >/dev/null 2>&1; then
        scripts/apart.sh "$cargo" nextest run $locked --offline --workspace --no-fail-fast "$@"
    else
        scripts/apart.sh "$cargo" test $locked --offline --workspace --no-fail-fast "$@"
    fi
}
