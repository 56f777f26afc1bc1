"""`make check-rollout`: both roles of the chart are replaced, one pod after the other, while alerts come; nothing is refused and nothing is lost.

As root, on a real RabbitMQ and MariaDB, with the strict simulator of Feishu; under names of its own, which it removes.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import chart
from objects import pods, read
from rehearsal import Rehearsed, hold

SENDERS = 10
ALERTS_A_REQUEST = 10
REQUESTS_A_SECOND = 50
BEFORE_SECONDS = AFTER_SECONDS = 5
DELIVERED_SECONDS = TAKEN_SECONDS = 60
SIMULATOR = "127.0.0.1:18090"
SIGNING_SECRET = "rollout-secret"
KEY, SECOND_KEY = "first-key", "second-key"


def values(name: str) -> dict:
    """Two of each role. The budget is wide, as this is about what is lost, and not about how it is folded."""
    receiver = {
        "webhook_url_file": "/etc/larkfire/secrets/webhook",
        "secret_file": "/etc/larkfire/secrets/webhook-secret",
        "cards_per_minute": 6000,
        "cards_per_second": 100,
    }
    return {
        "config": {"queue": {"prefix": name, "shards": 2}, "receivers": {"default": receiver}},
        "secrets": {
            "amqpUrl": {"value": "amqp://guest:guest@127.0.0.1:5672/%2f"},
            "databaseUrl": {"value": f"mysql://root@127.0.0.1:3306/{name}"},
            "apiKeys": {"value": KEY},
            "files": {
                "webhook": {"value": f"http://{SIMULATOR}/open-apis/bot/v2/hook/test-token"},
                "webhook-secret": {"value": SIGNING_SECRET},
            },
        },
    }


def sql(statement: str, database: str = "mysql") -> str:
    command = ("mariadb", "--no-defaults", "--host=127.0.0.1", "--user=root", "--skip-column-names", database, "-e", statement)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def remove_from_broker(name: str) -> None:
    """In one call: each costs the start of a virtual machine, and there is no command that removes exchanges."""
    begins = f'fun({{resource, _, _, Found}}) -> lists:prefix("{name}", binary_to_list(Found)) end'
    queues = "[rabbit_amqqueue:delete(Q, false, false, User) || Q <- rabbit_amqqueue:list(Host), Ours(amqqueue:get_name(Q))]"
    exchanges = "[rabbit_exchange:delete(element(2, X), false, User) || X <- rabbit_exchange:list(Host), Ours(element(2, X))]"
    program = f'Ours = {begins}, Host = <<"/">>, User = <<"rollout">>, {queues}, {exchanges}, ok.'
    subprocess.run(("rabbitmqctl", "--quiet", "eval", program), check=True, stdout=subprocess.DEVNULL)


class Fleet:
    """The running pods of each role, and where requests may go."""

    def __init__(self, name: str, folder: Path, binaries: Path) -> None:
        self.folder, self.binaries = folder, binaries
        wanted = folder / "values.yaml"
        wanted.write_text(json.dumps(values(name)))
        self.objects = read(chart.render("--values", str(wanted)))
        self.numbers = itertools.count(11)
        self.running: dict[str, list[Rehearsed]] = {"ingest": [], "worker": []}

    def start(self, role: str) -> Rehearsed:
        number = next(self.numbers)
        pod = next(found for found in pods(self.objects) if found.owner.endswith(f"-{role}"))
        folder = self.folder / f"pod-{number}"
        folder.mkdir()
        started = Rehearsed(pod, self.objects, folder, f"127.0.0.{number}", self.binaries / f"larkfire-{role}")
        self.running[role].append(started)
        return started

    def replace(self, role: str, with_pause: bool) -> list[str]:
        """A new one first (`maxSurge: 1`, `maxUnavailable: 0`); says how the old ones ended."""
        said = []
        for old in list(self.running[role]):
            self.start(role).becomes_endpoint()
            said.append(old.is_deleted(with_pause))
            self.running[role].remove(old)
        return said

    def endpoints(self) -> list[Rehearsed]:
        return [pod for pod in self.running["ingest"] if pod.is_endpoint]

    def stop(self) -> None:
        for pod in itertools.chain(*self.running.values()):
            pod.stop()


class Load:
    """Senders that repeat what is not answered with 202, as Alertmanager does, and count every answer."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.answers: Counter[str] = Counter()
        self.accepted = 0
        self.lock = threading.Lock()
        self.is_over = threading.Event()
        self.senders = [threading.Thread(target=self.send, args=(number,)) for number in range(SENDERS)]
        self.began = time.monotonic()
        for sender in self.senders:
            sender.start()

    def send(self, sender: int) -> None:
        kept: dict[str, http.client.HTTPConnection] = {}
        for request in itertools.count():
            if self.is_over.is_set():
                return
            began = time.monotonic()
            for attempt in itertools.count(sender + request):
                endpoints = self.fleet.endpoints()
                answer = post(endpoints[attempt % len(endpoints)].address, body(sender, request), KEY, kept)
                with self.lock:
                    self.answers[answer] += 1
                    self.accepted += ALERTS_A_REQUEST * (answer == "202")
                if answer == "202":
                    break
            time.sleep(max(0.0, SENDERS / REQUESTS_A_SECOND - (time.monotonic() - began)))

    def end(self) -> float:
        """Alerts a second."""
        self.is_over.set()
        for sender in self.senders:
            sender.join()
        return self.accepted / (time.monotonic() - self.began)


def body(sender: int, request: int) -> str:
    def alert(number: int) -> dict:
        labels = {"alertname": "Rollout", "instance": f"{sender}-{request}-{number}"}
        return {"status": "firing", "labels": labels, "startsAt": "2026-11-30T12:00:00Z", "fingerprint": f"{sender:04x}{request:08x}{number:04x}"}

    alerts = [alert(number) for number in range(ALERTS_A_REQUEST)]
    return json.dumps({"version": "4", "status": "firing", "receiver": "default", "groupKey": f"{sender}-{request}", "alerts": alerts})


def post(address: str, text: str, key: str, kept: dict[str, http.client.HTTPConnection]) -> str:
    """The status, or how it failed. Connections are kept, as senders do."""
    connection = kept.pop(address, None) or http.client.HTTPConnection(address, 8080, timeout=10)
    try:
        connection.request("POST", "/api/alert", text, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return type(error).__name__
    if not answer.will_close:
        kept[address] = connection
    return str(answer.status)


def waits_for(what: str, seconds: float, is_so) -> list[str]:
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            return [f"not within {seconds:.0f} s: {what}"]
        time.sleep(0.2)
    return []


def rehearse(fleet: Fleet, name: str, with_pause: bool) -> list[str]:
    for role in ("ingest", "worker", "ingest", "worker"):
        fleet.start(role)
    for pod in itertools.chain(*fleet.running.values()):
        pod.becomes_endpoint()
    load = Load(fleet)
    time.sleep(BEFORE_SECONDS)
    said = fleet.replace("ingest", with_pause) + fleet.replace("worker", with_pause)
    time.sleep(AFTER_SECONDS)
    rate = load.end()
    print(f"{load.accepted} alerts, {rate:.0f} a second; answers: {dict(load.answers)}")
    print(*said, sep="\n")
    problems = [one for one in said if not one.endswith("ended with 0")]
    problems += [f"{count} requests were answered {answer}" for answer, count in load.answers.items() if answer != "202"]

    def delivered() -> int:
        return int(sql("SELECT COUNT(*) FROM larkfire_ledger WHERE told_status IS NOT NULL", name))

    lost = waits_for("every alert is delivered", DELIVERED_SECONDS, lambda: delivered() >= load.accepted)
    print(f"{delivered()} of {load.accepted} alerts are delivered")
    return problems + lost + rotate(fleet)


def rotate(fleet: Fleet) -> list[str]:
    """A second key in the Secret is taken by the pods that run."""
    for pod in fleet.running["ingest"]:
        hold(pod.folder / "volumes/secrets", pod.secrets | {"api-keys": f"{KEY}\n{SECOND_KEY}\n"})

    def is_taken() -> bool:
        text = json.dumps({"message": "rotated", "sender_id": "rollout"})
        return all(post(pod.address, text, SECOND_KEY, {}) == "202" for pod in fleet.endpoints())

    began = time.monotonic()
    problems = waits_for("a key that was added to the Secret is taken", TAKEN_SECONDS, is_taken)
    print(f"a second key was taken after {time.monotonic() - began:.1f} s, without a restart")
    return problems


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binaries", type=Path, required=True)
    arguments.add_argument("--without-pause", action="store_true", help="leave preStop out: requests are to fail then")
    given = arguments.parse_args()
    if os.geteuid() != 0:
        sys.exit("check-rollout mounts and changes users: run it as root")
    name = f"rollout_{os.getpid()}"
    binaries = given.binaries.resolve()
    simulator = subprocess.Popen(
        (binaries / "feishu-sim", "--listen", SIMULATOR, "--secret", SIGNING_SECRET, "--no-limits"), stdout=subprocess.DEVNULL
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        sql(f"CREATE DATABASE {name}")
        fleet = Fleet(name, Path(folder), binaries)
        try:
            problems = rehearse(fleet, name, with_pause=not given.without_pause)
        finally:
            fleet.stop()
            simulator.terminate()
            remove_from_broker(name)
            sql(f"DROP DATABASE {name}")
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
