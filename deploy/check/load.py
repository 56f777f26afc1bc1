"""Senders that put a fleet under load, and what is asked of its database and broker."""

from __future__ import annotations

import http.client
import itertools
import json
import subprocess
import threading
import time
from collections import Counter
from typing import Protocol, Sequence

SENDERS = 10
ALERTS_A_REQUEST = 10
REQUESTS_A_SECOND = 50
# Before what was not taken is sent once more.
REPEAT_SECONDS = 0.1
# What senders show the gate.
KEY = "first-key"


class Endpoint(Protocol):
    """Where requests may go; its alerts are taken at port 8080."""

    address: str


class Fleet(Protocol):
    """Who is sent to."""

    def endpoints(self) -> Sequence[Endpoint]: ...


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


class Load:
    """Senders that repeat what is not answered with 202, as Alertmanager does, and count every answer."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.answers: Counter[str] = Counter()
        self.accepted = 0
        # From the first attempt of a request to its 202: what a sender sees of a fault.
        self.longest_seconds = 0.0
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
                    self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)
                if answer == "202":
                    break
                time.sleep(REPEAT_SECONDS)
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
