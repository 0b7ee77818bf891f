# Which program listens where. To be sourced after common.sh.
#
# A port once chosen is remembered in $up/ports/NAME, so that addresses stay the same over restarts.

port_of() {
    cat "$up/ports/$1"
}

# Has another of our programs been given the port?
is_promised() {
    local file
    for file in "$up"/ports/*; do
        [ "$file" = "$up/ports/$1" ] || [ "$(cat "$file" 2>/dev/null)" != "$2" ] || return 0
    done
    return 1
}

# choose_port NAME WANTED: the port of last time or the wanted one, or else the next one free.
choose_port() {
    local name=$1 wanted port
    wanted=$(port_of "$name" 2>/dev/null || echo "$2")
    port=$wanted
    while is_promised "$name" "$port" || ! port_is_free "$port"; do
        port=$((port + 1))
    done
    [ "$port" = "$wanted" ] || say "Port $wanted for $name is taken: using $port."
    echo "$port" >"$up/ports/$name"
}
