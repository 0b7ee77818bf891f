# Starting, finding and stopping supervised programs under $up. To be sourced after common.sh.
#
# A program is known by its name: rabbitmq, redis, gateway-1, sync-agent-2, ...

is_supervised() {
    [ -e "$up/run/$1.lock" ] && ! flock -s -n "$up/run/$1.lock" true
}

# The names of all that run; with a PREFIX only of those that start with it; in the order of numbers.
running() {
    local lock name
    for lock in "$up"/run/"${1:-}"*.lock; do
        name=$(basename "$lock" .lock)
        ! is_supervised "$name" || echo "$name"
    done | sort -V
}

anything_runs() {
    [ -n "$(running)" ]
}

# start NAME COMMAND...: from now on NAME runs, as the leader of a session of its own.
start() {
    local name=$1
    shift
    # No descriptor of ours goes along, so that nobody waits for a pipe that a program holds.
    (cd "$up" && exec setsid --fork "$root/deploy/lib/supervise" "$up" "$name" "$@") \
        >>"$up/log/$name.log" 2>&1 </dev/null 8>&-
    wait_until 10 is_supervised "$name" || die "$name did not start: see $up/log/$name.log"
}

supervisor_of() {
    sed -n 1p "$up/run/$1.pid" 2>/dev/null
}

# The process id of the program itself; fails while there is none.
pid_of() {
    local pid
    case $1 in
    rabbitmq) pid=$(cat "$up/rabbitmq/pid" 2>/dev/null) ;;
    *) pid=$(sed -n 2p "$up/run/$1.pid" 2>/dev/null) ;;
    esac
    [ -n "$pid" ] && echo "$pid"
}

is_gone() {
    ! is_supervised "$1"
}

# Stops the named programs side by side: in order first, by force after half a minute.
stop_programs() {
    local name
    for name; do
        say "Stopping $name ..."
        kill -TERM "$(supervisor_of "$name")" 2>/dev/null || true
    done
    for name; do
        wait_until 30 is_gone "$name" || force_stop "$name"
    done
}

force_stop() {
    say "$1 does not stop: killing it"
    kill -KILL "$(supervisor_of "$1")" 2>/dev/null || true
    wait_until 10 is_gone "$1" || die "$1 cannot be stopped"
}
