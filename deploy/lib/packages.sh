# The Debian packages that this project needs, and how missing ones get installed. To be sourced
# after common.sh.

BUILD_PACKAGES=(
    gcc libc6-dev meson ninja-build pkg-config
    libcurl4-openssl-dev libhiredis-dev libjson-c-dev libmicrohttpd-dev libpq-dev librabbitmq-dev
    libsodium-dev libssl-dev libsystemd-dev libwebsockets-dev
)
RUN_PACKAGES=(
    rabbitmq-server redis-server libwebsockets-evlib-uv
)
DEBIAN_PACKAGES=( # for deploy/debian/build
    build-essential debhelper git
)
TEST_PACKAGES=(
    "${DEBIAN_PACKAGES[@]}"
    check clang-format clang-tidy lua5.1 mandoc openssl postgresql prometheus shellcheck systemd
    python3-cryptography python3-jsonpatch python3-pika python3-pytest python3-pytest-xdist
    python3-redis python3-websocket python3-yaml
)

# Node.js and npm, where no other build of them is there: of an example worker and of tests.
command -v npm >/dev/null || TEST_PACKAGES+=(nodejs npm)

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "not root, and there is no sudo: cannot run $*"
    fi
}

# Installs those of the named packages that are not installed yet.
install_missing() {
    local package missing=()
    for package; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Installing ${missing[*]} ..."
    as_root bash "$(dirname "${BASH_SOURCE[0]}")/install-packages" "${missing[@]}" >&2 ||
        die "the installation failed"
}
