# shellcheck shell=bash
# Sourced by the commands beside it: the private environment in .venv, made once and left alone while it fits.
#
# Sets `root` (the checkout) and `python` (the interpreter of the environment).

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
python=$root/.venv/bin/python

# Say in one line what is wrong and how to mend it, and leave.
fail() {
    printf 'tools/%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 2
}

# Print the first interpreter that is new enough.
base_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

make_env() {
    local base
    base=$(base_python) || fail "Python 3.11 or newer is needed (Debian 12: apt-get install python3 python3-venv)"
    "$base" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$base cannot make a virtual environment (Debian: apt-get install python3-venv)"
    printf 'making .venv with %s\n' "$("$base" --version)" >&2
    "$base" -m venv --clear "$root/.venv" || fail "could not make $root/.venv"
}

# install_package TARGET KEY STAMP...: pip, and when it has succeeded the stamps.
install_package() {
    local target=$1 key=$2
    shift 2
    printf 'installing wsknet and what it needs into .venv\n' >&2
    PIP_CACHE_DIR=$root/.venv/cache "$python" -m pip install --quiet --disable-pip-version-check --editable "$target" ||
        fail "pip could not install what pyproject.toml asks for (it needs a package index it can reach)"
    printf '%s\n' "$key" | tee "$@" >/dev/null
}

# ensure_env run|test: the package installed editable, for `test` with its test extras.
ensure_env() {
    local key stamp=$root/.venv/installed
    exec 9<"$root" # two commands started at once take turns
    flock 9
    # pip tells where it lives: an environment that was moved or copied here does not fit.
    case $("$root/.venv/bin/pip" --version 2>/dev/null) in
        *" from $root/.venv/"*) ;;
        *) make_env ;;
    esac
    key=$(sha256sum <"$root/pyproject.toml")$("$python" --version)
    if [ "$(cat "$stamp-$1" 2>/dev/null)" != "$key" ]; then
        if [ "$1" = test ]; then
            install_package "${root}[test]" "$key" "$stamp-run" "$stamp-test"
        else
            install_package "$root" "$key" "$stamp-run"
        fi
    fi
    exec 9<&-
}
