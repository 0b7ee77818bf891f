# What the scripts under deploy/ and tests/run share. To be sourced; needs nothing but coreutils.

# Progress and mistakes go to standard error; standard output is for answers.
say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "$(basename "$0"): $*"
    exit 1
}

# Prints BYTES random bytes in hexadecimal.
random_hex() {
    od -An -vtx1 -N "$1" /dev/urandom | tr -d ' \n'
}

# make_secret FILE [BYTES]: a random secret in FILE, readable by us alone, unless it is there already.
make_secret() {
    [ -s "$1" ] || (umask 077 && random_hex "${2:-24}" >"$1")
}

# Does nobody on this machine answer on PORT of the loopback interface?
port_is_free() {
    ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Runs COMMAND again and again until it succeeds; fails after SECONDS.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}
