#!/bin/sh
# Shows what `make run` and `make test` say and do on a machine that has nothing: a minimal Debian in a folder.
# usage: scripts/try-fresh.sh
# As root, on Debian with debootstrap. Packages come from where this machine has its own. Its Rust and what compiling
# left in target/ are lent to the last two steps, in which the tests are stopped after the first that passed.
set -eu

# --- In namespaces of its own: the folder becomes the machine

if [ "${1:-}" = --inside ]; then
    root=$2
    place=$3
    lent=$4
    command=$5
    mount --make-rprivate /
    mount --bind "$root" "$root"
    for folder in $lent; do
        # What is written there stays in $place.
        mkdir -p "$root$folder" "$place/written$folder" "$place/work$folder"
        mount -t overlay overlay "$root$folder" \
            -o "lowerdir=$folder,upperdir=$place/written$folder,workdir=$place/work$folder"
    done
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    cd "$root"
    mkdir -p before
    pivot_root . before
    cd "$PROJECT"
    umount --lazy /before
    exec env -u CI -u DISPLAY -u WAYLAND_DISPLAY -u PIP_FIND_LINKS PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        sh -c "$command"
fi

# --- On this machine

cd "$(dirname "$0")/.."
if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
    echo 'This needs root and the package debootstrap.' >&2
    exit 1
fi
export PROJECT="$PWD"
place=$(mktemp -d /var/tmp/moorline-fresh.XXXXXX)
root=$place/root
trap 'rm -rf --one-file-system "$place"' EXIT

debootstrap --variant=minbase --include=make "$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)" "$root" \
    >"$place/log" 2>&1 || { tail "$place/log" >&2; exit 1; }
# How this machine reaches the registries.
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/ssl/certs/ca-certificates.crt /etc/apt/sources.list \
    /etc/apt/sources.list.d/debian.sources ~/.config/pip/pip.conf ~/.npmrc; do
    [ ! -f "$file" ] || install -D "$file" "$root$file"
done
[ ! -f /etc/apt/sources.list.d/debian.sources ] || rm -f "$root/etc/apt/sources.list"
cp -a /etc/apt/apt.conf.d "$root/etc/apt/"
# Whom it trusts besides: a package makes the list of all anew.
mkdir -p "$root/usr/local/share"
cp -a /usr/local/share/ca-certificates "$root/usr/local/share/" 2>/dev/null || true
mkdir -p "$root$PROJECT"
git ls-files --cached --others --exclude-standard -z | tar --null -T - -cf - | tar -xf - -C "$root$PROJECT"

# show TITLE LENT COMMAND
show() {
    printf '\n=== %s\n$ %s\n' "$1" "$3"
    unshare --mount --pid --fork --kill-child sh scripts/try-fresh.sh --inside "$root" "$place" "$2" "($3); echo \"(exit code \$?)\"" 2>&1 |
        sed 's/\r//g; s/\x1b\[[0-9;]*m//g' |
        grep -vE '^(update-alternatives|Updating certificates|[0-9]+ added|Running hooks|done\.|Current default|Local time|Universal Time|Selecting|Preparing|Unpacking|Setting up|Processing|Extracting|Fetched|\(Reading|debconf|Created symlink|Adding|Creating|invoke|Running in chroot| +(Compiling|Checking|Downloaded|Blocking))|^$' || true
}
tools="$HOME/.cargo $HOME/.rustup"
built=''
for folder in "$PROJECT/target/debug" "$PROJECT/fuzz/target"; do
    [ ! -d "$folder" ] || built="$built $folder"
done

show 'Nothing is there, and nobody can be asked' '' 'DISPLAY=:9 make run </dev/null'
show 'Nothing is there, and somebody says yes' '' "echo y | script -qec 'DISPLAY=:9 make run' /dev/null"
show 'Rust is there, a display is not' "$tools$built" 'CI=true make run </dev/null'
show 'The tests, as far as the first that passes' "$tools$built" \
    "CI=true make test </dev/null 2>&1 | sed '/Running unittests/,\$ { /\\.\\.\\. ok\$/q }'"
