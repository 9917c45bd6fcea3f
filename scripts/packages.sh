#!/bin/sh
# Prints the packages that are missing, in the words of this system's package manager.
# usage: scripts/packages.sh apt-get|dnf|pacman|brew run|app|test
# `run` is the command line, `app` the desktop app, too, `test` all that the tests use. Names of programs are looked for
# rather than packages, so that what was installed in another way counts.
set -eu
manager=$1
purpose=$2
. scripts/env.sh

# need DEBIAN FEDORA ARCH HOMEBREW PROBE...: missing when the probe fails; `-` where nothing is to be installed
need() {
    case $manager in
    dnf) names=$2 ;;
    pacman) names=$3 ;;
    brew) names=$4 ;;
    *) names=$1 ;;
    esac
    shift 4
    if [ "$names" != - ] && ! "$@" >/dev/null 2>&1; then
        printf '%s\n' "$names"
    fi
}
has() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1"; }
# From a wheel, unless there is one that is new enough for Vite 8.
has_node() { has_new_node || python3 -c 'import ensurepip, venv'; }
has_rust() { has cargo || has curl; }
trusts_the_web() { has cargo || test -e /etc/ssl/certs/ca-certificates.crt || test -e /etc/ssl/cert.pem; }
has_dejavu() { find /usr/share/fonts -iname '*dejavu*' | grep -q .; }
draws_svg() { find /usr/lib /usr/lib64 -path '*/gdk-pixbuf-2.0/*' -name '*svg*.so' | grep -q .; }

{
    need build-essential gcc base-devel - has cc
    need openssh-client openssh-clients openssh openssh has ssh-keygen
    need curl curl curl curl has_rust
    need ca-certificates ca-certificates ca-certificates - trusts_the_web
    if [ "$purpose" != run ]; then
        need python3-venv python3 python python has_node
    fi
    if [ "$purpose" != run ] && [ "$(uname -s)" = Linux ]; then
        need pkg-config pkgconf-pkg-config pkgconf - has pkg-config
        need libwebkit2gtk-4.1-dev webkit2gtk4.1-devel webkit2gtk-4.1 - pkg-config --exists webkit2gtk-4.1
    fi
    if [ "$purpose" = test ] && [ "$(uname -s)" = Linux ]; then
        need xvfb xorg-x11-server-Xvfb xorg-server-xvfb - has Xvfb
        need xfwm4 xfwm4 xfwm4 - has xfwm4
        need xfce4-panel xfce4-panel xfce4-panel - has xfce4-panel
        need xfconf xfconf xfconf - has xfconf-query
        need adwaita-icon-theme adwaita-icon-theme adwaita-icon-theme - test -d /usr/share/icons/Adwaita
        need fonts-dejavu-core dejavu-sans-fonts ttf-dejavu - has_dejavu
        need librsvg2-common librsvg2 librsvg - draws_svg
        need wmctrl wmctrl wmctrl - has wmctrl
        need xclip xclip xclip - has xclip
        # Fedora takes a program's path for its package.
        need webkit2gtk-driver /usr/bin/WebKitWebDriver webkitgtk-6.0 - has WebKitWebDriver
        need desktop-file-utils desktop-file-utils desktop-file-utils - has desktop-file-validate
        need openssh-server openssh-server openssh - has sshd
        need dbus dbus-daemon dbus - has dbus-daemon
        need dbus dbus-tools dbus - has dbus-send
        need gnome-keyring gnome-keyring gnome-keyring - has gnome-keyring-daemon
        need libsecret-tools libsecret libsecret - has secret-tool
        need openssl openssl openssl - has openssl
        need strace strace strace - has strace
        need faketime libfaketime libfaketime - has faketime
        need iproute2 iproute iproute2 - has ip
        need util-linux util-linux util-linux - has unshare
        need util-linux util-linux util-linux - has nsenter
        need util-linux util-linux util-linux - has setpriv
        need python3-venv python3 python - /usr/bin/python3 -c 'import ensurepip, venv'
    fi
} | sort -u
