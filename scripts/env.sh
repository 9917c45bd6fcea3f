# shellcheck shell=sh
# Finds what scripts/setup.sh installs: `. scripts/env.sh`, in the project's folder, comes before each cargo and npm.

node_venv=${CARGO_TARGET_DIR:-target}/node
case $node_venv in /*) ;; *) node_venv=$PWD/$node_venv ;; esac
[ ! -x "$node_venv/programs/node" ] || PATH=$node_venv/programs:$PATH

# The shell's profile may not name it yet; and one of the distribution's may be older.
[ ! -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ] || PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH

# rustup fetches the pinned version, but need not where `stable` is that very one.
pinned_rust=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
if [ -z "${RUSTUP_TOOLCHAIN:-}" ] && command -v rustup >/dev/null &&
    ! rustup toolchain list | grep -q "^$pinned_rust-"; then
    case $(rustup run stable rustc --version 2>/dev/null) in
    "rustc $pinned_rust "*) export RUSTUP_TOOLCHAIN=stable ;;
    esac
fi

# Vite 8 needs 20.19 or 22.12.
has_new_node() {
    command -v npm >/dev/null && node -e '
        const [a, b] = process.versions.node.split(".").map(Number);
        process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}
