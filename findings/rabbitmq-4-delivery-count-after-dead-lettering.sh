#!/bin/bash
# RabbitMQ 4.0.5 (Debian trixie) and 4.3.6 (Debian sid; with the arguments "sid 4.3.6"): a quorum queue without a
# dead-letter exchange loses a message without a trace when it comes back more than 20 times, the default since 4.0;
# connections that are closed count. A message that the broker dead-letters for that takes its header x-delivery-count
# along: with 4.0.5 that is only a header; with 4.3.6 it counts, and the message is gone when it comes back once.
# Seen: each came 21 times; "after one closed connection: there" with 4.0.5, "gone" with 4.3.6.
# Needs root, mmdebstrap and the machine's own Debian mirror; takes a minute.
set -euo pipefail
. "$(dirname "$0")/lib/rabbitmq_root.sh"
rabbitmq_root "${1:-trixie}" "${2:-4.0.5}"

cat > "$root/tmp/probe.py" <<'PY'
import sys, time, pika
port = int(sys.argv[1])
connect = lambda: pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))

def comes(queue):
    """Takes the message and closes the connection; its header if it came."""
    connection = connect()
    channel = connection.channel()
    try:
        for method, properties, _ in channel.consume(queue, inactivity_timeout=2):
            return None if method is None else (properties.headers or {}).get("x-delivery-count", 0)
    finally:
        connection.close()

connection = connect()
channel = connection.channel()
channel.confirm_delivery()
quorum = {"x-queue-type": "quorum"}
channel.queue_declare("plain", durable=True, arguments=quorum)
channel.queue_declare("graves", durable=True, arguments=quorum)
channel.queue_declare("lettered", durable=True, arguments={
    **quorum, "x-overflow": "reject-publish", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "graves",
    "x-dead-letter-strategy": "at-least-once"})
for queue in ["plain", "lettered"]:
    channel.basic_publish("", queue, b"x")
for queue in ["plain", "lettered"]:
    times = 0
    while comes(queue) is not None:
        times += 1
    print(f"{queue}: came {times} times, then no more")
count = comes("graves")
print(f"dead-lettered: came with x-delivery-count {count}; after one closed connection:",
      "gone" if comes("graves") is None else "there")
PY
chroot "$root" python3 /tmp/probe.py "$port" | tee "$root/tmp/seen"
case ${2:-4.0.5} in 4.3.*) after=gone ;; *) after=there ;; esac
diff "$root/tmp/seen" - <<SEEN
plain: came 21 times, then no more
lettered: came 21 times, then no more
dead-lettered: came with x-delivery-count 21; after one closed connection: $after
SEEN
