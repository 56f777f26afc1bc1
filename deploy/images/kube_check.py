"""`make check-kube-play`: what the chart renders is started by `podman kube play`, beside RabbitMQ and MariaDB, and an alert goes through.

As root. The image of Larkfire is that of `make images`, the servers are Debian's, Feishu is the simulator. podman takes the Deployments and
the ConfigMap, one pod each; Services, probes, budgets, policies and autoscalers are not its business, and a volume that joins several
Secrets (`projected`) is none it knows: what would be secret are variables here. Everything has a name of its own and is removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import yaml
from engine import IMAGE, ROOT, Failed, Podman, asked, free_address, wait

sys.path.insert(0, str(ROOT / "deploy/check"))

import chart  # noqa: E402

SERVERS = "localhost/larkfire-servers:trixie"
BASE = "localhost/larkfire-base:bookworm"
PLAYED = ("ConfigMap", "Deployment")
READY_SECONDS, CARD_SECONDS = 180, 60
DELAY_SECONDS = 5
SIGNING_SECRET, KEY, PASSWORD = "kube-secret", "kube-key", "kube-password"
# podman gives a pod no file for a Secret: these are variables.
USER_OF_BROKER = f"default_user = larkfire\ndefault_pass = {PASSWORD}\nloopback_users = none\n"


class Pods:
    """The chart's pods and what they talk to, on a network of their own."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.podman = Podman(folder)
        self.folder, self.binaries = folder, binaries
        self.name = f"larkfire-kube-{os.getpid()}"
        self.addresses: dict[tuple[str, str], str] = {}
        for image in (IMAGE, SERVERS, BASE):
            if not self.podman.succeeds("image", "exists", image):
                raise Failed(f"there is no image {image}: make images; deploy/images/servers.sh")
        self.file = folder / "rendered.yaml"
        self.file.write_text(yaml.safe_dump_all(self.rendered()))
        self.podman.run("network", "create", self.name)

    def values(self) -> dict[str, Any]:
        both = {
            "AMQP_URL": f"amqp://larkfire:{PASSWORD}@{self.name}-rabbitmq:5672/%2f",
            "DATABASE_URL": f"mysql://larkfire:{PASSWORD}@{self.name}-mariadb:3306/larkfire",
            "FEISHU_WEBHOOK_URL": f"http://{self.name}-feishu:8090/open-apis/bot/v2/hook/test-token",
            "FEISHU_SECRET": SIGNING_SECRET,
            "API_KEYS": KEY,
        }
        role = {"replicas": 1, "extraEnv": [{"name": name, "value": value} for name, value in both.items()]}
        registry, repository = IMAGE.rsplit(":", 1)[0].split("/")
        return {
            "image": {"registry": registry, "repository": repository, "tag": IMAGE.rsplit(":", 1)[1], "pullPolicy": "Never"},
            "config": {"timezone": "UTC"},
            "ingest": {**role, "shutdownDelaySeconds": DELAY_SECONDS},
            "worker": role,
        }

    def rendered(self) -> list[dict[str, Any]]:
        wanted = self.folder / "values.yaml"
        wanted.write_text(json.dumps(self.values()))
        found = [one for one in yaml.safe_load_all(chart.render("--values", str(wanted))) if one and one["kind"] in PLAYED]
        for deployment in (one for one in found if one["kind"] == "Deployment"):
            container = deployment["spec"]["template"]["spec"]["containers"][0]
            # podman publishes each port of a pod on this machine, under its own number unless another one is said.
            for port in container["ports"]:
                address = free_address()
                self.addresses[container["name"], port["name"]] = address
                port |= {"hostIP": "127.0.0.1", "hostPort": int(address.split(":")[1])}
        return found

    def serve(self, name: str, image: str, *words: str, options: tuple[str, ...] = ()) -> None:
        whole = f"{self.name}-{name}"
        self.podman.names.append(whole)
        self.podman.run("run", "--detach", f"--network={self.name}", "--name", whole, *options, image, *words)

    def start_servers(self) -> None:
        conf, password = self.folder / "90-user.conf", self.folder / "password"
        conf.write_text(USER_OF_BROKER)
        password.write_text(PASSWORD)
        for file in (conf, password):
            file.chmod(0o644)
        rabbitmq = ("--user=rabbitmq", "--hostname=rabbitmq", "--env=HOME=/var/lib/rabbitmq", "--env=RABBITMQ_LOGS=-")
        self.serve("rabbitmq", SERVERS, "/usr/lib/rabbitmq/bin/rabbitmq-server", options=(*rabbitmq, f"--volume={conf}:/etc/rabbitmq/conf.d/90-user.conf:ro"))
        variables = {"MARIADB_DATABASE": "larkfire", "MARIADB_USER": "larkfire", "MARIADB_PASSWORD_FILE": "/password"}
        mariadb = [f"--env={name}={value}" for name, value in variables.items()]
        mounts = (f"--volume={password}:/password:ro", f"--volume={ROOT}/deploy/images/mariadb.sh:/mariadb.sh:ro")
        self.serve("mariadb", SERVERS, "bash", "/mariadb.sh", options=(*mariadb, *mounts))
        simulator = ("/feishu-sim", "--listen", "0.0.0.0:8090", "--secret", SIGNING_SECRET)
        self.serve("feishu", BASE, *simulator, options=(f"--volume={self.binaries}/feishu-sim:/feishu-sim:ro",))

    def play(self) -> None:
        print(self.podman.run("kube", "play", f"--network={self.name}", str(self.file)).strip().replace("\n", " "), flush=True)

    def container(self, role: str) -> str:
        return f"{chart.RELEASE}-larkfire-{role}-pod-0-{role}"

    def ip(self, whole: str) -> str:
        networks = self.podman.inspect("container", whole)["NetworkSettings"]["Networks"]
        return networks[self.name]["IPAddress"]

    def logs(self) -> str:
        said = [self.podman.run("ps", "--all", "--format", "{{.Names}} {{.Status}}", fails=True)]
        names = (*(self.container(role) for role in ("ingest", "worker")), *self.podman.names)
        return "\n".join(said + [f"-- {name}\n{self.podman.logs(name, '--tail', '15')}" for name in names])

    def remove(self) -> None:
        self.podman.run("kube", "down", str(self.file), fails=True)
        self.podman.remove_all()
        self.podman.run("network", "rm", "--force", self.name, fails=True)


def become_ready(pods: Pods) -> None:
    """the chart's pods start as they are rendered, and become ready"""
    pods.start_servers()
    pods.play()
    for role in ("ingest", "worker"):
        wait(f"the {role} is ready", READY_SECONDS, lambda: asked(pods.addresses[role, "admin"], "/readyz")[0] == 200, pods.logs)


def keep_to_themselves(pods: Pods) -> None:
    """they run as their user, without capabilities, on a root that they cannot write to"""
    for role in ("ingest", "worker"):
        container = pods.podman.inspect("container", pods.container(role))
        status = Path(f"/proc/{container['State']['Pid']}/status").read_text()
        if "Uid:\t65532" not in status or "CapEff:\t0000000000000000" not in status:
            raise Failed(f"{role}: {status}")
        if not container["HostConfig"]["ReadonlyRootfs"]:
            raise Failed(f"{role} may write to its root")


def tell(pods: Pods, name: str) -> int:
    alert = {"status": "firing", "labels": {"alertname": name, "severity": "critical"}, "startsAt": "2026-01-15T10:30:00Z"}
    body = json.dumps({"version": "4", "status": "firing", "receiver": "default", "groupKey": name, "alerts": [alert]})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    return asked(pods.addresses["ingest", "http"], "/api/alert", body, headers)[0]


def is_told(pods: Pods, name: str) -> None:
    address = f"{pods.ip(f'{pods.name}-feishu')}:8090"
    wait(f"{name} is on a card", CARD_SECONDS, lambda: name in asked(address, "/_sim/records")[1], pods.logs)


def pass_an_alert_on(pods: Pods) -> None:
    """an alert goes through both, RabbitMQ and MariaDB, to a card"""
    if (status := tell(pods, "DiskFull")) != 202:
        raise Failed(f"an alert is answered {status}\n{pods.logs()}")
    is_told(pods, "DiskFull")


def say_before_they_go(pods: Pods) -> None:
    """an ingest that is stopped is not ready at once, takes alerts for the delay, then ends with 0"""
    admin = pods.addresses["ingest", "admin"]
    began = time.monotonic()
    stopping = threading.Thread(target=pods.podman.run, args=("stop", "--time", "60", pods.container("ingest")))
    stopping.start()
    wait("it is not ready any more", DELAY_SECONDS, lambda: asked(admin, "/readyz")[0] == 503, pods.logs)
    if (status := tell(pods, "LinkDown")) != 202:
        raise Failed(f"an alert is answered {status} while the pod is withdrawn\n{pods.logs()}")
    stopping.join()
    took = time.monotonic() - began
    code = pods.podman.inspect("container", pods.container("ingest"))["State"]["ExitCode"]
    if code != 0 or took < DELAY_SECONDS:
        raise Failed(f"it ended with {code} after {took:.1f} s")
    is_told(pods, "LinkDown")


CHECKS = (become_ready, keep_to_themselves, pass_an_alert_on, say_before_they_go)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binaries", type=Path, required=True, help="folder with feishu-sim")
    binaries = arguments.parse_args().binaries.resolve()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        try:
            pods = Pods(Path(folder), binaries)
        except Failed as failure:
            sys.exit(f"check-kube-play: {failure}")
        try:
            for number, check in enumerate(CHECKS):
                check(pods)
                print(f"{time.monotonic() - began:5.1f} s  ok      {check.__doc__}", flush=True)
        except Failed as failure:
            print(f"{time.monotonic() - began:5.1f} s  FAILED  {check.__doc__}\n{failure}\ncheck-kube-play: {number} passed, 1 failed")
            return 1
        finally:
            pods.remove()
    print(f"check-kube-play: {len(CHECKS)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
