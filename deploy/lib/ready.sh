# Is a program ready to serve? To be sourced after common.sh, programs.sh and ports.sh.

# http_get PORT PATH [USER:PASSWORD]: prints status line, head and body.
http_get() {
    local login=
    [ $# -lt 3 ] || login="Authorization: Basic $(printf %s "$3" | base64 -w 0)"$'\r\n'
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout 5 bash -c '
        exec 3<>"/dev/tcp/127.0.0.1/$1" &&
        printf "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n" "$2" "$3" >&3 &&
        cat <&3' - "$1" "$2" "$login" 2>/dev/null
}

management() {
    http_get "$(port_of management)" "$1" "activestack:$(cat "$up/rabbitmq/password")"
}

# NAME is one of rabbitmq, redis, gateway-N, sync-agent-N, auth-agent-N.
is_ready() {
    local name=$1
    case $name in
    redis)
        REDISCLI_AUTH=$(cat "$up/redis/password") redis-cli -p "$(port_of redis)" ping 2>/dev/null |
            grep -q PONG
        ;;
    rabbitmq)
        ! port_is_free "$(port_of amqp)" && management /api/overview | grep -q '^HTTP/1.1 200'
        ;;
    gateway-*)
        http_get "$(port_of "$name")" /readyz | grep -q '^HTTP/1.[01] 200'
        ;;
    *-agent-*) # its consumers are there: their tags carry its name
        management /api/consumers/activestack | grep -q "\"consumer_tag\":\"[^\"]*\b$name\b"
        ;;
    esac
}

# Waits until all the named programs are ready; tells which one is not, and what it said last.
wait_ready() {
    local seconds=$1 name
    shift
    for name; do
        say "Waiting for $name ..."
        wait_until "$seconds" is_ready "$name" || {
            tail -n 20 "$up/log/$name.log" >&2
            die "$name is not ready after $seconds s; its log is $up/log/$name.log"
        }
    done
}
