#!/bin/bash
# Alertmanager 0.25.0 (Debian bookworm): the end of an alert is not sent to a webhook that has answered none of its firing
# notifications with 2xx, although each of them carried the alert. So whoever stores what comes and cannot say so in time
# (a 503, an answer that is lost) shows an alert that fires for ever.
# Seen: "503 until it gives up: firing came, resolved 0 times"; "200: firing came, resolved 1 times".
# Needs apt and the machine's own Debian mirror; takes a minute. Nothing is installed.
set -euo pipefail
version=0.25.0
folder=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2> /dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq prometheus-alertmanager
dpkg-deb -x prometheus-alertmanager_*.deb root
found=$(root/usr/bin/prometheus-alertmanager --version 2>&1 | sed -n 's/^alertmanager, version \([^ ]*\).*/\1/p')
echo "Alertmanager $found"
case $found in "$version"*) ;; *) echo "not $version: look again"; exit 1 ;; esac

cat > probe.py <<'PY'
import datetime, http.server, json, sys, threading, time, urllib.request

alertmanager, port, refuses = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "refuses"
came = []

class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        came.append(body["status"])
        # Longer than a notification is tried again with what it was begun with.
        self.send_response(503 if refuses and time.monotonic() < begun + 20 else 200)
        self.end_headers()

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Webhook)
threading.Thread(target=server.serve_forever, daemon=True).start()

def post(**times):
    alert = {"labels": {"alertname": "A"}, **times}
    request = urllib.request.Request(f"http://{alertmanager}/api/v2/alerts", json.dumps([alert]).encode(),
                                     {"Content-Type": "application/json"})
    urllib.request.urlopen(request).close()

begun = time.monotonic()
now = datetime.datetime.now(datetime.timezone.utc)
start = (now - datetime.timedelta(minutes=1)).isoformat()
post(startsAt=start)
while not came:
    time.sleep(0.1)
post(startsAt=start, endsAt=now.isoformat())
time.sleep(35)
print("503 until it gives up:" if refuses else "200:",
      "firing came," if "firing" in came else "nothing came,", f"resolved {came.count('resolved')} times")
PY

for how in refuses accepts; do
    port=$((20000 + RANDOM % 10000))
    cat > "$how.yml" <<YML
route: { receiver: probe, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h }
receivers: [{ name: probe, webhook_configs: [{ url: "http://127.0.0.1:$port/", send_resolved: true }] }]
YML
    root/usr/bin/prometheus-alertmanager --config.file="$how.yml" --storage.path="$how" --cluster.listen-address= \
        --web.listen-address="127.0.0.1:$((port + 10000))" > "$how.log" 2>&1 &
    pids+=($!)
    patience=100
    until curl -sf "http://127.0.0.1:$((port + 10000))/-/ready" > /dev/null; do
        patience=$((patience - 1))
        [ $patience -gt 0 ] || { cat "$how.log"; exit 1; }
        sleep 0.2
    done
    python3 probe.py "127.0.0.1:$((port + 10000))" "$port" "$how" | tee -a seen
done
diff seen - <<SEEN
503 until it gives up: firing came, resolved 0 times
200: firing came, resolved 1 times
SEEN
