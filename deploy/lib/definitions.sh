# What RabbitMQ is told at its start, out of deploy/rabbitmq/definitions.json. To be sourced after
# common.sh.

# RabbitMQ's own form: base64 of a salt of four bytes and of SHA-256 over salt and password.
password_hash() {
    local password=$1 salt digest
    salt=$(random_hex 2)
    digest=$(printf '%s%s' "$salt" "$password" | sha256sum | cut -c 1-64)
    # shellcheck disable=SC2059 # the digest becomes the format's escapes
    { printf '%s' "$salt" && printf "$(sed 's/../\\x&/g' <<<"$digest")"; } | base64 -w 0
}

# print_definitions TEMPLATE PREFIX: the template with a hash for each of its users. The password of
# NAME is in the file PREFIX followed by NAME; one that is missing is made. Durable queues are of the
# type QUEUE_TYPE: classic, or, in a cluster, quorum. Queues that are there already stay as they are.
print_definitions() {
    local template=$1 prefix=$2 name script="s|@QUEUE_TYPE@|${QUEUE_TYPE:-classic}|;"
    for name in $(sed -n 's/.*"@PASSWORD_HASH_OF_\(.*\)@".*/\1/p' "$template"); do
        make_secret "$prefix$name"
        script+="s|@PASSWORD_HASH_OF_$name@|$(password_hash "$(cat "$prefix$name")")|;"
    done
    sed "$script" "$template"
}
