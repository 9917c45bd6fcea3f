#!/bin/sh
# Builds the window's page into ui/dist; does nothing when it is up to date.
set -eu
cd "$(dirname "$0")/.."
. scripts/env.sh
cd ui

if ! cmp -s package-lock.json node_modules/.installed-lock.json; then
    npm ci --no-audit --no-fund
    cp package-lock.json node_modules/.installed-lock.json
fi
# The stamp, not the page: cargo makes a page of its own when there is none.
newer=$(find src index.html package-lock.json vite.config.ts svelte.config.js -newer dist/.built 2>/dev/null || echo none)
if [ ! -e dist/.built ] || [ -n "$newer" ]; then
    npm run build
    touch dist/.built
fi
