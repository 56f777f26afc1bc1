"""`make check-rollout`: both roles of the chart are replaced, one pod after the other, while alerts come; nothing is refused and nothing is lost.

As root, on a real RabbitMQ and MariaDB, with the strict simulator of Feishu; under names of its own, which it removes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import chart
from load import KEY, Load, post, remove_from_broker, sql, waits_for
from objects import pods, read
from rehearsal import Rehearsed, hold

BEFORE_SECONDS = AFTER_SECONDS = 5
# As the chart has it.
DELAY_SECONDS = 10
DELIVERED_SECONDS = TAKEN_SECONDS = 60
SIMULATOR = "127.0.0.1:18090"
SIGNING_SECRET = "rollout-secret"
SECOND_KEY = "second-key"


def values(name: str, delay_seconds: int) -> dict:
    """Two of each role. The budget is wide, as this is about what is lost, and not about how it is folded."""
    receiver = {
        "webhook_url_file": "/etc/larkfire/secrets/webhook",
        "secret_file": "/etc/larkfire/secrets/webhook-secret",
        "cards_per_minute": 6000,
        "cards_per_second": 100,
    }
    return {
        "ingest": {"shutdownDelaySeconds": delay_seconds},
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


class Fleet:
    """The running pods of each role, and where requests may go."""

    def __init__(self, name: str, folder: Path, binaries: Path, delay_seconds: int) -> None:
        self.folder, self.binaries = folder, binaries
        wanted = folder / "values.yaml"
        wanted.write_text(json.dumps(values(name, delay_seconds)))
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

    def replace(self, role: str) -> list[str]:
        """A new one first (`maxSurge: 1`, `maxUnavailable: 0`); says how the old ones ended."""
        said = []
        for old in list(self.running[role]):
            self.start(role).becomes_endpoint()
            said.append(old.is_deleted())
            self.running[role].remove(old)
        return said

    def endpoints(self) -> list[Rehearsed]:
        return [pod for pod in self.running["ingest"] if pod.is_endpoint]

    def stop(self) -> None:
        for pod in itertools.chain(*self.running.values()):
            pod.stop()


def rehearse(fleet: Fleet, name: str) -> list[str]:
    for role in ("ingest", "worker", "ingest", "worker"):
        fleet.start(role)
    for pod in itertools.chain(*fleet.running.values()):
        pod.becomes_endpoint()
    load = Load(fleet)
    time.sleep(BEFORE_SECONDS)
    said = fleet.replace("ingest") + fleet.replace("worker")
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
    arguments.add_argument("--without-pause", action="store_true", help="leave the shutdown delay out: requests are to fail then")
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
        fleet = Fleet(name, Path(folder), binaries, 0 if given.without_pause else DELAY_SECONDS)
        try:
            problems = rehearse(fleet, name)
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
