"""`make check-upgrade`: a fleet of an earlier build is replaced by this one, process by process, while alerts come, and then back.

On a real RabbitMQ and MariaDB, with the strict simulator of Feishu, under names of its own, which it removes. Held is what the runbook
promises: old and new work side by side, the schema goes forward and the build before works on it, nothing is refused and nothing is lost.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from load import KEY, Load, remove_from_broker, sql, waits_for

ROLES = ("ingest", "worker")
PROCESSES_A_ROLE = 2
PHASE_SECONDS = 5
# After a process is sent no new requests: those it has are answered.
WITHDRAWN_SECONDS = 1
READY_SECONDS = STOP_SECONDS = DELIVERED_SECONDS = 60
SIMULATOR = "127.0.0.1:18091"
SIGNING_SECRET = "upgrade-secret"


def configuration(name: str) -> str:
    """One for both builds, and for both roles. The budget is wide, as this is about what is lost, and not about how it is folded."""
    receiver = {
        "webhook_url": f"http://{SIMULATOR}/open-apis/bot/v2/hook/test-token",
        "secret": SIGNING_SECRET,
        "cards_per_minute": 6000,
        "cards_per_second": 100,
    }
    settings = {
        "gate": {"api_keys": [KEY]},
        "queue": {"url": "amqp://guest:guest@127.0.0.1:5672/%2f", "prefix": name, "shards": 2},
        "database": {"url": f"mysql://root@127.0.0.1:3306/{name}"},
        "receivers": {"default": receiver},
    }
    return json.dumps(settings)


def got(address: str, path: str) -> tuple[int, str]:
    """Status and text of a page of the admin port; 0 where nobody answers."""
    connection = http.client.HTTPConnection(address, 9095, timeout=3)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


class Running:
    """One process of a build, at an address of its own."""

    def __init__(self, role: str, build: str, program: Path, folder: Path, number: int) -> None:
        self.role, self.build, self.address = role, build, f"127.0.0.{number}"
        self.is_endpoint = False
        self.delivered = 0
        variables = {
            "PATH": os.environ["PATH"],
            "LARKFIRE_CONFIG": str(folder / "larkfire.yaml"),
            "LARKFIRE_LISTEN": f"{self.address}:8080",
            "LARKFIRE_ADMIN_LISTEN": f"{self.address}:9095",
            "LARKFIRE_DATA_DIR": str(folder / f"data-{number}"),
        }
        self.log = folder / f"{role}-{number}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen([program], env=variables, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def becomes_ready(self) -> None:
        end = time.monotonic() + READY_SECONDS
        while got(self.address, "/readyz")[0] != 200:
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"the {self.build} {self.role} does not become ready: {self.log.read_text()[-2000:]}")
            time.sleep(0.1)
        self.is_endpoint = self.role == "ingest"

    def has_delivered(self) -> int:
        """Alerts that this process has delivered so far."""
        found = re.search(r'^larkfire_alerts_total\{outcome="delivered"\} (\d+)', got(self.address, "/metrics")[1], re.MULTILINE)
        self.delivered = int(found.group(1)) if found else self.delivered
        return self.delivered

    def stops(self) -> list[str]:
        """Without new requests first, as behind a load balancer; says what was wrong with how it ended."""
        self.is_endpoint = False
        time.sleep(WITHDRAWN_SECONDS)
        self.has_delivered()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return [f"the {self.build} {self.role} did not end within {STOP_SECONDS} s"]
        return [] if code == 0 else [f"the {self.build} {self.role} ended with {code}"]

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Fleet:
    """Both roles, of two builds."""

    def __init__(self, folder: Path, builds: dict[str, Path]) -> None:
        self.folder, self.builds = folder, builds
        self.numbers = itertools.count(31)
        self.running: list[Running] = []
        self.problems: list[str] = []

    def endpoints(self) -> list[Running]:
        return [one for one in self.running if one.is_endpoint]

    def start(self, role: str, build: str) -> Running:
        started = Running(role, build, self.builds[build] / f"larkfire-{role}", self.folder, next(self.numbers))
        self.running.append(started)
        return started

    def begin(self, build: str) -> None:
        for started in [self.start(role, build) for role in ROLES for _ in range(PROCESSES_A_ROLE)]:
            started.becomes_ready()

    def replace(self, role: str, build: str) -> None:
        """One after the other, the new one first; in between both builds work side by side for a while."""
        before = [one for one in self.running if one.role == role]
        for old in before:
            self.start(role, build).becomes_ready()
            time.sleep(PHASE_SECONDS)
            if role == "worker":
                self.shares_the_work(old.build, build)
            self.problems += old.stops()
            self.running.remove(old)

    def shares_the_work(self, *builds: str) -> None:
        """Workers of both builds deliver."""
        for build in builds:
            workers = [one for one in self.running if one.role == "worker" and one.build == build]
            before = sum(one.has_delivered() for one in workers)
            if waits_for("a delivery", READY_SECONDS, lambda: sum(one.has_delivered() for one in workers) > before):
                self.problems.append(f"no worker of the {build} build delivers beside the others")

    def kill(self) -> None:
        for one in self.running:
            one.kill()


def delivered(name: str) -> int:
    return int(sql("SELECT COUNT(*) FROM larkfire_ledger WHERE told_status IS NOT NULL", name))


def columns(name: str) -> int:
    """How many columns our tables have: more of them is a newer schema."""
    return int(sql(f"SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '{name}'"))


def rehearse(fleet: Fleet, name: str) -> list[str]:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:5.1f} s  {text}", flush=True)

    fleet.begin("old")
    load = Load(fleet)
    try:
        time.sleep(PHASE_SECONDS)
        before = columns(name)
        say(f"the old build works: {load.accepted} alerts accepted, {delivered(name)} delivered, {before} columns")
        for build in ("new", "old"):
            # As the runbook has it: workers first on the way forward, last on the way back.
            for role in reversed(ROLES) if build == "new" else ROLES:
                fleet.replace(role, build)
                say(f"each {role} is of the {build} build: {load.accepted} alerts accepted, {delivered(name)} delivered")
            say(f"the schema has {columns(name)} columns")
        after = columns(name)
        time.sleep(PHASE_SECONDS)
    finally:
        rate = load.end()
    problems = [*fleet.problems, *([] if after > before else ["both builds have the same schema: choose an older one"])]
    problems += [f"{count} requests were answered {answer}" for answer, count in load.answers.items() if answer != "202"]
    problems += waits_for("every alert is delivered", DELIVERED_SECONDS, lambda: delivered(name) >= load.accepted)
    say(f"{delivered(name)} of {load.accepted} alerts are delivered, {rate:.0f} a second; answers: {dict(load.answers)}")
    dead = int(sql("SELECT COUNT(*) FROM larkfire_dead_letters", name))
    return problems + ([f"there are {dead} dead letters"] if dead else [])


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--old", type=Path, required=True, help="folder with larkfire-ingest and larkfire-worker of the build before")
    arguments.add_argument("--new", type=Path, required=True, help="folder with those of this tree, and feishu-sim")
    given = arguments.parse_args()
    name = f"upgrade_{os.getpid()}"
    simulator = subprocess.Popen(
        (given.new.resolve() / "feishu-sim", "--listen", SIMULATOR, "--secret", SIGNING_SECRET, "--no-limits"), stdout=subprocess.DEVNULL
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "larkfire.yaml").write_text(configuration(name))
        sql(f"CREATE DATABASE {name}")
        fleet = Fleet(Path(folder), {"old": given.old.resolve(), "new": given.new.resolve()})
        try:
            problems = rehearse(fleet, name)
        finally:
            fleet.kill()
            simulator.terminate()
            simulator.wait()
            remove_from_broker(name)
            sql(f"DROP DATABASE {name}")
    for problem in problems:
        print(f"FAILED: {problem}")
    print(f"check-upgrade: {'failed' if problems else 'passed'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
