#!/bin/sh
# Makes target/test-venv with the ssh clients and the Jupyter kernel that the tests use; does nothing when it is up to date.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
venv=${MOORLINE_TEST_VENV:-${CARGO_TARGET_DIR:-$root/target}/test-venv}
wanted=$root/tests/requirements.txt

if cmp -s "$wanted" "$venv/installed.txt"; then
    exit 0
fi
# The system's own Python: one from pyenv lies in the home, which the tests cover with another.
python=/usr/bin/python3
[ -x "$python" ] || python=$(command -v python3)
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/python3" -m pip install --quiet --disable-pip-version-check --only-binary :all: -r "$wanted"
cp "$wanted" "$venv/installed.txt"
