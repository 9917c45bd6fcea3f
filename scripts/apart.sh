#!/bin/sh
# Runs a command where the account's home is empty but for this project and the tools, so that it cannot reach ~/.ssh.
# usage: scripts/apart.sh COMMAND [ARGUMENT]...
# It takes a mount namespace, in a user namespace unless root does it; where there is none, that is said.
set -eu

# in the namespace: HOME-OF-THE-ACCOUNT KEPT... -- COMMAND [ARGUMENT]...
cover_home() {
    home=$1
    shift
    real=$(mktemp -d)
    mount --rbind "$home" "$real"
    mount -t tmpfs -o mode=700 tmpfs "$home"
    while [ "$1" != -- ]; do
        case $1/ in
        "$home"/*)
            below=${1#"$home"}
            mkdir -p "$1"
            mount --rbind "$real$below" "$1"
            # What the tools use is only read, the project is built in.
            case $below in /.cargo | /.rustup) mount -o remount,bind,ro "$1" 2>/dev/null || true ;; esac
            ;;
        esac
        shift
    done
    shift
    # Should the project be the home itself.
    [ ! -d "$home/.ssh" ] || mount -t tmpfs -o mode=700 tmpfs "$home/.ssh"
    umount --lazy "$real"
    rmdir "$real"
    # The folder that was entered before is the one below.
    cd "$PWD"
    exec "$@"
}
if [ "${1:-}" = --inside ]; then
    shift
    cover_home "$@"
fi

# OpenSSH asks the password database, not $HOME, where the home is.
home=$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6) || true
set -- -- "$@"
for folder in "${CARGO_TARGET_DIR:-}" "${RUSTUP_HOME:-$HOME/.rustup}" "${CARGO_HOME:-$HOME/.cargo}" "$PWD"; do
    [ ! -d "$folder" ] || set -- "$(cd "$folder" && pwd -P)" "$@"
done

unshare='unshare --mount --propagation private'
[ "$(id -u)" = 0 ] || unshare="$unshare --user --map-current-user --keep-caps"
if [ -d "$home" ] && [ "$home" != / ] && $unshare true 2>/dev/null; then
    exec $unshare sh "$0" --inside "$(cd "$home" && pwd -P)" "$@"
fi
echo "There are no mount namespaces here, so the tests see the real ${home:-$HOME}; the end-to-end tests need them, and Linux." >&2
while [ "$1" != -- ]; do shift; done
shift
exec "$@"
