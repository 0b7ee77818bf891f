# The files that a deployment needs beside its data: secrets, users, configuration. To be sourced
# after common.sh and ports.sh; everything lies in $up, which nobody else may read.

DEMO_USERS=(ada ben)

make_folders() {
    umask 077
    mkdir -p "$up"/{run,log,ports,secrets,rabbitmq,redis}
    chmod 700 "$up"
}

make_secrets() {
    local user
    make_secret "$up/secrets/session"
    make_secret "$up/secrets/seal"
    make_secret "$up/rabbitmq/password"
    ln -sf password "$up/rabbitmq/password-of-activestack"
    for user in gateway agent operator; do
        make_secret "$up/rabbitmq/password-of-$user"
    done
    make_secret "$up/redis/password"
    for user in "${DEMO_USERS[@]}"; do
        make_secret "$up/secrets/$user" 8
    done
}

# What a demo user logs in with at the provider `file`.
demo_credential() {
    echo "$1@example.org:$(cat "$up/secrets/$1")"
}

# amqp_url USER: one of deploy/rabbitmq/definitions.json, whose passwords deploy/rabbitmq/serve reads.
amqp_url() {
    echo "amqp://$1:$(cat "$up/rabbitmq/password-of-$1")@127.0.0.1:$(port_of amqp)/activestack"
}

# The programs know these: each kind has the rights that it needs.
write_amqp_urls() {
    local user
    for user in gateway agent operator; do
        amqp_url "$user" >"$up/secrets/amqp-url-$user"
    done
}

redis_url() {
    echo "redis://default:$(cat "$up/redis/password")@127.0.0.1:$(port_of redis)/0"
}

management_url() {
    echo "http://activestack:$(cat "$up/rabbitmq/password")@127.0.0.1:$(port_of management)"
}

# A user's entry for the file provider.
user_entry() {
    local hash
    hash=$("$build/deploy/ctl/activestack-ctl" hash-password <"$up/secrets/$1") || return
    printf '{"firstName": "%s", "lastName": "Example", "email": "%s@example.org", "passHash": "%s"}' \
        "${1^}" "$1" "$hash"
}

write_users() {
    local user comma=
    [ ! -e "$up/users.json" ] || return 0
    {
        printf '[\n'
        for user in "${DEMO_USERS[@]}"; do
            printf '%s  %s' "$comma" "$(user_entry "$user")"
            comma=$',\n'
        done
        printf '\n]\n'
    } >"$up/users.json.new"
    mv "$up/users.json.new" "$up/users.json"
}

# What differs between processes, port, name and user of the broker, comes by their environment; that
# of activestack-ctl is here.
write_config() {
    cat >"$up/activestack.conf" <<END
# Made by deploy/up. activestack-gateway --help-config explains every key.
amqp.url_file = $up/secrets/amqp-url-operator
redis.url = $(redis_url)
model.file = $root/deploy/example/model.json
process.file = $root/deploy/example/processes.json
process.plugin_dir = $build/agents/plugins
gateway.host = 127.0.0.1
gateway.port = $(port_of gateway-1)
gateway.session_secret_file = $up/secrets/session
auth.seal_secret_file = $up/secrets/seal
# All clients are on this machine.
gateway.max_connections_per_address = 0
gateway.max_upgrades_per_s_per_address = 0
auth.max_failed_logins_per_address = 10000
auth.providers = file,basic
auth.registration = false
auth.users_file = $up/users.json
END
}

# A command that needs no environment, and is not confused by what `env` printed either.
write_ctl() {
    {
        echo '#!/bin/bash'
        # shellcheck disable=SC2016 # expanded when it runs
        echo 'unset "${!ACTIVESTACK_@}"'
        printf 'exec %q --config %q "$@"\n' "$build/deploy/ctl/activestack-ctl" "$up/activestack.conf"
    } >"$up/activestack-ctl"
    chmod 700 "$up/activestack-ctl"
}
