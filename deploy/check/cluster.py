"""Three RabbitMQ nodes on one machine, of which the leader of the alerts' queue is killed under load: what senders see of it, and whether
anything is lost. Senders, both roles and the simulator are those of the other rehearsals; a balancer leads to the nodes that listen.
"""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable

from debian_root import NotReady, RabbitNode, Root, free_port
from load import Load, sql, waits_for
from upgrade import SIGNING_SECRET, SIMULATOR, Fleet, configuration, delivered

NODES = ("larkfire-a", "larkfire-b", "larkfire-c")
BEFORE_SECONDS, AFTER_SECONDS = 10, 30
DELIVERED_SECONDS = 120
CHUNK_BYTES = 65_536


class Balancer:
    """Leads each new connection to the first node that takes it, as a Kubernetes Service or a TCP balancer would."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.lead, args=(client,), daemon=True).start()

    def lead(self, client: socket.socket) -> None:
        for port in self.ports:
            try:
                node = socket.create_connection(("127.0.0.1", port), timeout=2)
            except OSError:
                continue
            node.settimeout(None)
            threading.Thread(target=self.copy, args=(client, node), daemon=True).start()
            self.copy(node, client)
            return
        client.close()

    @staticmethod
    def copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while chunk := source.recv(CHUNK_BYTES):
                target.sendall(chunk)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def leader(nodes: list[RabbitNode], name: str) -> RabbitNode:
    """Where the leader of the first shard is."""
    rows = json.loads(nodes[0].control("list_queues", "--formatter", "json", "name", "leader"))
    at = next(row["leader"] for row in rows if row["name"] == f"{name}.alerts.0")
    return next(node for node in nodes if node.name == at)


def lose_the_leader(root: Root, home: Path, binaries: Path, say: Callable[[str], None]) -> list[str]:
    """What was seen, as lines for the documents; none where anything was lost."""
    home.mkdir(parents=True)
    mapper_port = free_port()
    nodes = [RabbitNode(root, home, name, mapper_port) for name in NODES]
    for node in nodes[1:]:
        for words in (("stop_app",), ("reset",), ("join_cluster", nodes[0].name), ("start_app",)):
            node.control(*words)
    say("three nodes are a cluster")
    balancer = Balancer([node.port for node in nodes])
    name = f"cluster_{time.monotonic_ns()}"
    settings = json.loads(configuration(name))
    settings["queue"] = {"url": f"amqp://guest:guest@127.0.0.1:{balancer.port}/%2f", "prefix": name}
    folder = home / "fleet"
    folder.mkdir()
    (folder / "larkfire.yaml").write_text(json.dumps(settings))
    sql(f"CREATE DATABASE {name}")
    simulator = subprocess.Popen(
        (binaries / "feishu-sim", "--listen", SIMULATOR, "--secret", SIGNING_SECRET, "--no-limits"), stdout=subprocess.DEVNULL
    )
    fleet = Fleet(folder, {"this": binaries})
    try:
        fleet.begin("this")
        load = Load(fleet)
        try:
            time.sleep(BEFORE_SECONDS)
            load.longest_seconds = 0.0
            lost = leader(nodes, name)
            accepted = load.accepted
            # Connections lead to the first node that listens: where that is the leader, both are gone at once, which is the worst.
            lost.kill()
            say(f"the leader, {lost.name}, is killed; {accepted} alerts accepted so far")
            time.sleep(AFTER_SECONDS)
        finally:
            rate = load.end()
        late = waits_for("every alert is delivered", DELIVERED_SECONDS, lambda: delivered(name) >= load.accepted)
        told = delivered(name)
        say(f"{told} of {load.accepted} alerts are delivered; the longest a request took, repeats included, {load.longest_seconds:.1f} s")
        if late or told < load.accepted:
            return []
        answers = ", ".join(f"{count} {answer}" for answer, count in sorted(load.answers.items()))
        return [
            f"Cluster of three RabbitMQ {root.version('rabbitmq-server')}, leader killed with -9 at {rate:.0f} alerts/s: {told} of {load.accepted} "
            f"delivered, {load.longest_seconds:.1f} s from a request's first attempt to its 202 at most; answers: {answers}"
        ]
    except (NotReady, RuntimeError) as failure:
        say(f"FAILED: {failure}")
        return []
    finally:
        fleet.kill()
        simulator.terminate()
        simulator.wait()
        balancer.listener.close()
        sql(f"DROP DATABASE {name}")
