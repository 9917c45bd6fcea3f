#!/bin/sh
# Packs the release build: a Debian package where dpkg-deb is, and an archive of the same tree that runs from anywhere.
# usage: scripts/bundle.sh FOLDER-OF-PROGRAMS OUT
# Tauri's own bundler knows the programs of one crate; Moorline's come from two, and the tray links no toolkit.
set -eu
programs=$1
out=$2
cd "$(dirname "$0")/.."
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
name=moorline_${version}_$(uname -m)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/$name

install -Dm755 -t "$tree/usr/bin" "$programs/moorline" "$programs/moorline-proxy" \
    "$programs/moorline-tray" "$programs/moorline-window"
install -Dm644 scripts/Moorline.desktop "$tree/usr/share/applications/Moorline.desktop"
for size in 32x32 128x128; do
    install -Dm644 "icons/app/$size.png" "$tree/usr/share/icons/hicolor/$size/apps/moorline-tray.png"
done
install -Dm644 icons/app/moorline.svg "$tree/usr/share/icons/hicolor/scalable/apps/moorline-tray.svg"
install -Dm644 -t "$tree/usr/share/doc/moorline" README.md CHANGELOG.md LICENSE-APACHE LICENSE-MIT
mkdir -p "$tree/usr/share/bash-completion/completions"
"$programs/moorline" completions bash >"$tree/usr/share/bash-completion/completions/moorline"

mkdir -p "$out"
tar -C "$work" --owner=0 --group=0 -czf "$out/$name.tar.gz" "$name"
echo "$out/$name.tar.gz"
command -v dpkg-deb >/dev/null || exit 0

arch=$(dpkg --print-architecture)
mkdir "$tree/DEBIAN"
cat >"$tree/DEBIAN/control" <<CONTROL
Package: moorline
Version: $version
Architecture: $arch
Maintainer: The Moorline developers <moorline@users.noreply.github.com>
Section: net
Priority: optional
Installed-Size: $(du -ks "$tree/usr" | cut -f 1)
Depends: libc6, openssh-client
Recommends: libwebkit2gtk-4.1-0, gnome-keyring | org.freedesktop.secrets, xdg-utils
Description: keeps your editor moored to a Colab runtime that drifts
 One ssh alias works whatever is behind it: Moorline watches each session, mends
 ssh's files when a runtime restarts, says so, and opens the editor.
CONTROL
dpkg-deb --root-owner-group --build "$tree" "$out/moorline_${version}_$arch.deb" >/dev/null
echo "$out/moorline_${version}_$arch.deb"
