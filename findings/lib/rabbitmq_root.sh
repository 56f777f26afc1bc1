# Sourced: makes a root directory with RabbitMQ of a Debian suite, starts a node in it, and removes it all at the end.
# rabbitmq_root SUITE VERSION sets $root and $port; in_root COMMAND… runs one of RabbitMQ's commands on the node.

rabbitmq_root() {
    local suite=$1 version=$2
    root=$(mktemp -d)
    trap 'rabbitmq_root_end' EXIT
    mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
        --include=rabbitmq-server,python3-pika "$suite" "$root"
    local found
    found=$(chroot "$root" dpkg-query -W -f '${Version}' rabbitmq-server)
    echo "RabbitMQ $found"
    case $found in "$version"-*) ;; *) echo "not $version: look again"; return 1 ;; esac
    echo '127.0.0.1 localhost' > "$root/etc/hosts"
    mount -t proc proc "$root/proc"
    port=$((20000 + RANDOM % 10000)) epmd_port=$((30000 + RANDOM % 1000))
    echo '[].' > "$root/tmp/enabled_plugins"
    in_root rabbitmq-server > "$root/tmp/out" 2>&1 &
    local patience=120
    until in_root rabbitmqctl await_startup > /dev/null 2>&1; do
        patience=$((patience - 1))
        [ $patience -gt 0 ] || { cat "$root/tmp/out"; return 1; }
        sleep 0.5
    done
}

in_root() {
    local program=$1
    shift
    chroot "$root" env HOME=/tmp ERL_EPMD_PORT="$epmd_port" RABBITMQ_NODENAME="finding@localhost" \
        RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$port" RABBITMQ_DIST_PORT=$((port + 10000)) \
        RABBITMQ_MNESIA_BASE=/tmp/mnesia RABBITMQ_LOG_BASE=/tmp/log RABBITMQ_PID_FILE=/tmp/pid \
        RABBITMQ_ENABLED_PLUGINS_FILE=/tmp/enabled_plugins RABBITMQ_CONFIG_FILE=/tmp/none \
        RABBITMQ_CONF_ENV_FILE=/tmp/none "/usr/lib/rabbitmq/bin/$program" "$@"
}

rabbitmq_root_end() {
    # Whatever runs with this root is ours, the port mapper of the node included.
    local process
    for process in /proc/[0-9]*; do
        if [ "$(readlink "$process/root" 2> /dev/null)" = "$root" ]; then kill -9 "${process#/proc/}" 2> /dev/null || true; fi
    done
    umount "$root/proc" 2> /dev/null || true
    rm -rf --one-file-system "$root"
}
