#!/bin/sh
# Installs what is missing to build the command line (setup.sh run), the desktop app, too (setup.sh app), or to test
# everything (setup.sh test).
# Nothing is installed twice, and nothing but Debian and Ubuntu packages; elsewhere it says what to install.
set -eu

purpose=${1:-test}
missing=''

# need PACKAGE PROBE...: the package is missing when the probe fails
need() {
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
has() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1"; }

if ! has cargo >/dev/null; then
    echo 'Rust is missing. Install it with rustup: https://rustup.rs' >&2
    exit 1
fi

need build-essential has cc
need openssh-client has ssh-keygen
if [ "$purpose" != run ] && [ "$(uname -s)" = Linux ]; then
    need pkg-config has pkg-config
    need libwebkit2gtk-4.1-dev pkg-config --exists webkit2gtk-4.1
fi
if [ "$purpose" = test ] && [ "$(uname -s)" = Linux ]; then
    need xvfb has Xvfb
    need xfwm4 has xfwm4
    need xfce4-panel has xfce4-panel
    need xfconf has xfconf-query
    need adwaita-icon-theme test -d /usr/share/icons/Adwaita
    need fonts-dejavu-core test -d /usr/share/fonts/truetype/dejavu
    need librsvg2-common sh -c 'ls /usr/lib/*/gdk-pixbuf-2.0/2.10.0/loaders/libpixbufloader-svg.so'
    need wmctrl has wmctrl
    need xclip has xclip
    need webkit2gtk-driver has WebKitWebDriver
    need desktop-file-utils has desktop-file-validate
    need openssh-server has sshd
    need dbus has dbus-daemon
    need dbus has dbus-send
    need gnome-keyring has gnome-keyring-daemon
    need libsecret-tools has secret-tool
    need openssl has openssl
    need strace has strace
    need faketime has faketime
    need iproute2 has ip
    need util-linux has unshare
    need util-linux has nsenter
    need util-linux has setpriv
    need python3-venv /usr/bin/python3 -c 'import ensurepip, venv'
fi

# shellcheck disable=SC2086 # a list of words
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
[ -n "${missing% }" ] || exit 0

if ! has apt-get >/dev/null; then
    echo "Please install: $missing" >&2
    echo '(these are the names of the Debian packages), then run make again.' >&2
    exit 1
fi

as_root=''
if [ "$(id -u)" != 0 ]; then
    if ! has sudo >/dev/null; then
        echo "Please run as root: apt-get install $missing" >&2
        exit 1
    fi
    as_root=sudo
fi

# The tests start their own sshd. One that listens to the network is not wanted, so the package's stays off.
quiet_sshd=''
case " $missing" in
    *' openssh-server '*) [ -d /run/systemd/system ] && quiet_sshd=yes ;;
esac

echo "Installing: $missing"
if [ -n "$quiet_sshd" ]; then
    $as_root systemctl mask ssh.service ssh.socket
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words, and a command that may be empty
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
if [ -n "$quiet_sshd" ]; then
    $as_root systemctl unmask ssh.service ssh.socket
    $as_root systemctl disable ssh.service ssh.socket || true
fi
