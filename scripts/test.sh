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
run='test'
! "$cargo" nextest --version >/dev/null 2>&1 || run='nextest run'

# shellcheck disable=SC2086 # options, or nothing
{
    # By themselves, as `make run` builds them: the workspace would lend them its features.
    "$cargo" build $locked -p moorline-cli -p moorline-app
    "$cargo" run $locked --quiet -p moorline-cli -- --version
    # Building needs the network and the home, running needs neither.
    "$cargo" $run $locked --workspace --no-run "$@"
    [ $# != 0 ] || scripts/apart.sh "$cargo" test $locked --offline --workspace --doc
    scripts/apart.sh "$cargo" $run $locked --offline --workspace --no-fail-fast "$@"
}
