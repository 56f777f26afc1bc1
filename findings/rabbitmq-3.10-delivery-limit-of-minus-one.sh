#!/bin/bash
# RabbitMQ 3.10.8 (Debian bookworm): a delivery limit of -1, which 4.x takes for "no limit".
# A policy with "delivery-limit": -1 is refused; the queue argument x-delivery-limit = -1 is accepted, and drops a message
# the first time it is requeued. So no argument serves both versions, and the arguments of a queue cannot be changed.
# Seen: "policy: refused", "argument: accepted; after one requeue: gone", "no argument; after 30 requeues: there".
# Needs root, mmdebstrap and the machine's own Debian mirror; takes a minute.
set -euo pipefail
. "$(dirname "$0")/lib/rabbitmq_root.sh"
rabbitmq_root bookworm 3.10.8

cat > "$root/tmp/probe.py" <<'PY'
import sys, pika
port = int(sys.argv[1])
connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", port))

def survives(name, arguments, requeues):
    channel = connection.channel()
    channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum", **arguments})
    channel.confirm_delivery()
    channel.basic_publish("", name, b"x")
    for _ in range(requeues):
        for method, _, _ in channel.consume(name, inactivity_timeout=2):
            if method is None:
                return "gone"
            channel.basic_nack(method.delivery_tag, requeue=True)
            break
        channel.cancel()
    for method, _, _ in channel.consume(name, inactivity_timeout=2):
        return "gone" if method is None else "there"

print("argument: accepted; after one requeue:", survives("with", {"x-delivery-limit": -1}, 1))
print("no argument; after 30 requeues:", survives("without", {}, 30))
PY
if in_root rabbitmqctl set_policy none '.*' '{"delivery-limit":-1}' --apply-to queues > "$root/tmp/policy" 2>&1; then
    echo "policy: accepted"
else
    echo "policy: refused"
fi | tee "$root/tmp/seen"
grep -i validation "$root/tmp/policy" || true
chroot "$root" python3 /tmp/probe.py "$port" | tee -a "$root/tmp/seen"
diff "$root/tmp/seen" - <<'SEEN'
policy: refused
argument: accepted; after one requeue: gone
no argument; after 30 requeues: there
SEEN
