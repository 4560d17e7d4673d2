# Functions that the scripts share; to be sourced. Everything said here goes to stderr.
# shellcheck shell=bash

# What building needs, as "package" or "package:command": the latter is wanted only where the
# command is missing, however it came to the machine.
# shellcheck disable=SC2034  # used by those who source this
build_packages=(g++:g++ cmake:cmake ninja-build:ninja pkg-config:pkg-config
    nlohmann-json3-dev libtomlplusplus-dev libspdlog-dev libsqlite3-dev
    libcli11-dev libssl-dev libcurl4-openssl-dev liburing-dev)

step() { printf '\n==> %s\n' "$*" >&2; }
note() { printf '    %s\n' "$*" >&2; }
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# Debian 12's libboost-dev is older than what we need; it has a newer one under its own name.
boost_package() {
    local VERSION_ID=
    # shellcheck source=/dev/null
    [ ! -r /etc/os-release ] || . /etc/os-release
    if [ "$VERSION_ID" = 12 ]; then echo libboost1.81-dev; else echo libboost-dev; fi
}

# The mirror that this machine's apt uses, from either format of its sources.
system_mirror() {
    {
        awk '/^URIs:/ {print $2}' /etc/apt/sources.list.d/*.sources
        sed -nE 's/^deb +(\[[^]]*\] +)?([^ ]+) .*/\2/p' /etc/apt/sources.list \
            /etc/apt/sources.list.d/*.list
    } 2>/dev/null | grep -v -- -security | grep -E '/debian/?$' | head -n 1 || true
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_packages() { # PACKAGE[:COMMAND]...: those that are missing, one a line
    local wanted
    for wanted in "$@"; do
        if [[ $wanted == *:* ]] && command -v "${wanted#*:}" >/dev/null; then continue; fi
        is_installed "${wanted%%:*}" || echo "${wanted%%:*}"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

install_packages() { # PACKAGE[:COMMAND]...: installs what is missing, and nothing else
    local missing
    if ! command -v apt-get >/dev/null; then
        note "no apt-get on this machine; it must have what these Debian packages hold: ${*%%:*}"
        return 0
    fi
    mapfile -t missing < <(missing_packages "$@")
    if [ ${#missing[@]} = 0 ]; then
        note "all packages are installed"
        return 0
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        die "packages are missing and there is no sudo; as root: apt-get install ${missing[*]}"
    fi
    note "installing ${missing[*]}"
    as_root apt-get -qq update >&2 || die "'apt-get update' failed (its messages are above)"
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq -y --no-install-recommends install "${missing[@]}" \
        -o Dpkg::Use-Pty=0 >/dev/null || die "apt-get could not install ${missing[*]}"
}

# Whether something listens on 127.0.0.1:PORT.
port_is_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Calls "$@" until it succeeds, for at most SECONDS; gives up early when process PID ends.
wait_until() { # SECONDS PID COMMAND...
    local deadline=$((SECONDS + $1)) pid=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        kill -0 "$pid" 2>/dev/null || return 1
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}
