"""`make check-compose`: deploy/compose.yaml is brought up by podman-compose, and an alert of its Alertmanager ends on a card.

As root. The image of Larkfire is that of `make images`; the servers are Debian's (deploy/images/compose-debian.yaml), Feishu is the
simulator, and Grafana is left out, because Debian has none. Everything has a name and ports of its own, and is removed at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engine import IMAGE, ROOT, Failed, Podman, asked, free_address, wait

SERVERS = "localhost/larkfire-servers:trixie"
UP_SECONDS = 180
CARD_SECONDS = 90
# In the order of compose.yaml, with the simulator; Grafana apart.
OURS = ("ingest-1", "ingest-2", "worker-1", "worker-2")
SIGNING_SECRET = "compose-secret"
PORTS = (
    "LARKFIRE_PORT",
    "LARKFIRE_SECOND_PORT",
    "RABBITMQ_MANAGEMENT_PORT",
    "ALERTMANAGER_PORT",
    "PROMETHEUS_PORT",
    "SIMULATOR_PORT",
)


class Deployment:
    """A copy of what deploy/compose.yaml needs, under a project name of its own."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.podman = Podman(folder)
        self.project = f"larkfire-check-{os.getpid()}"
        self.folder = folder / "deploy"
        for image in (IMAGE, SERVERS):
            if not self.podman.succeeds("image", "exists", image):
                raise Failed(f"there is no image {image}: make images; deploy/images/servers.sh")
        for name in ("compose.yaml", "compose", "prometheus", "grafana", "images"):
            source = ROOT / "deploy" / name
            ignored = shutil.ignore_patterns("secrets", "__pycache__")
            shutil.copytree(source, self.folder / name, ignore=ignored) if source.is_dir() else self.copy(source)
        self.ports = {name: free_address().split(":")[1] for name in PORTS}
        images = {name: SERVERS for name in ("RABBITMQ_IMAGE", "MARIADB_IMAGE", "ALERTMANAGER_IMAGE", "PROMETHEUS_IMAGE")}
        self.variables = {
            **self.podman.variables,
            "PATH": f"{ROOT / '.tools/bin'}:{os.environ['PATH']}",
            "FEISHU_WEBHOOK_URL": "http://feishu-sim:8090/open-apis/bot/v2/hook/test-token",
            "FEISHU_SECRET": SIGNING_SECRET,
        }
        settings = {
            "LARKFIRE_IMAGE": IMAGE,
            "SIMULATOR": str(binaries / "feishu-sim"),
            "SIMULATOR_SECRET": SIGNING_SECRET,
            **images,
            **self.ports,
        }
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        # Half a minute of waiting for more of a group is Alertmanager's business, and tells nothing.
        alertmanager = self.folder / "compose/alertmanager.yml"
        alertmanager.write_text(alertmanager.read_text().replace("group_wait: 30s", "group_wait: 1s"))

    def copy(self, source: Path) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, self.folder)

    def make_secrets(self) -> None:
        subprocess.run([self.folder / "compose/secrets.sh"], check=True, env=self.variables, stdin=subprocess.DEVNULL)

    def compose(self, *arguments: str) -> None:
        files = ("--file", self.folder / "compose.yaml", "--file", self.folder / "images/compose-debian.yaml")
        command = ("podman-compose", "--project-name", self.project, *files, *arguments)
        # Into a file: what watches over the containers keeps a pipe open as long as they run.
        with tempfile.TemporaryFile("w+") as said:
            code = subprocess.run(command, stdout=said, stderr=said, env=self.variables, cwd=self.folder, stdin=subprocess.DEVNULL).returncode
            said.seek(0)
            if code != 0:
                raise Failed(f"podman-compose {' '.join(arguments)}: {said.read()}")

    def container(self, service: str) -> str:
        return f"{self.project}_{service}_1"

    def logs(self) -> str:
        """The end of what each of ours said, and who runs."""
        said = [self.podman.run("ps", "--all", "--format", "{{.Names}} {{.Status}}", fails=True)]
        services = (*OURS, "rabbitmq", "mariadb", "alertmanager", "prometheus", "feishu-sim")
        return "\n".join(said + [f"-- {one}\n{self.podman.logs(self.container(one), '--tail', '15')}" for one in services])

    def address(self, port: str) -> str:
        return f"127.0.0.1:{self.ports[port]}"

    def is_ready(self, service: str) -> bool:
        role = service.split("-")[0]
        return self.podman.succeeds("exec", self.container(service), f"larkfire-{role}", "health", "--ready")

    def cards(self) -> str:
        """All that the simulator has shown, as text."""
        return asked(self.address("SIMULATOR_PORT"), "/_sim/records")[1]

    def tell(self, name: str) -> None:
        """An alert, through Alertmanager's own door."""
        alert = [{"labels": {"alertname": name, "severity": "critical", "instance": "db-1"}, "annotations": {"summary": f"{name} on db-1"}}]
        answer = asked(self.address("ALERTMANAGER_PORT"), "/api/v2/alerts", json.dumps(alert), {"Content-Type": "application/json"})
        if answer[0] != 200:
            raise Failed(f"Alertmanager answers {answer}")

    def is_told(self, name: str) -> None:
        began = time.monotonic()
        wait(f"{name} is on a card", CARD_SECONDS, lambda: name in self.cards(), self.logs)
        print(f"        {name} was on a card after {time.monotonic() - began:.1f} s", flush=True)


def comes_up(deployment: Deployment) -> None:
    """everything comes up; both ingests and both workers are ready"""
    deployment.make_secrets()
    deployment.compose("up", "--detach")
    for service in OURS:
        wait(f"{service} is ready", UP_SECONDS, lambda: deployment.is_ready(service), deployment.logs)


def keeps_to_itself(deployment: Deployment) -> None:
    """ours run as their user, read-only, without capabilities, and have no secret in their environment"""
    passwords = [file.read_text() for file in (deployment.folder / "compose/secrets").iterdir()]
    for service in OURS:
        container = deployment.podman.inspect("container", deployment.container(service))
        status = Path(f"/proc/{container['State']['Pid']}/status").read_text()
        if "Uid:\t65532" not in status or "CapBnd:\t0000000000000000" not in status:
            raise Failed(f"{service}: {status}")
        if not container["HostConfig"]["ReadonlyRootfs"]:
            raise Failed(f"{service} may write to its root")
        if any(password in one for password in passwords for one in container["Config"]["Env"]):
            raise Failed(f"{service} has a secret in its environment")
    status, _ = asked(deployment.address("LARKFIRE_PORT"), "/api/alert", json.dumps({"message": "m", "sender_id": "s"}))
    if status != 401:
        raise Failed(f"an alert without a key is answered {status}")


def tells(deployment: Deployment) -> None:
    """an alert of Alertmanager is on a card"""
    deployment.tell("DiskFull")
    deployment.is_told("DiskFull")


def is_watched(deployment: Deployment) -> None:
    """Prometheus reaches everything, has our rules, and its own alerts reach Alertmanager"""
    address = deployment.address("PROMETHEUS_PORT")

    def targets() -> dict[str, str]:
        found = json.loads(asked(address, "/api/v1/targets")[1] or "{}")
        return {one["scrapeUrl"]: f"{one['health']} {one['lastError']}" for one in found["data"]["activeTargets"]}

    def are_up() -> bool:
        found = targets().values()
        return len(found) == 7 and all(one.startswith("up") for one in found)

    wait("all of Prometheus's targets are up", UP_SECONDS, are_up, lambda: str(targets()))
    rules = json.loads(asked(address, "/api/v1/rules")[1])["data"]["groups"]
    if not rules or any(rule["health"] == "err" for group in rules for rule in group["rules"]):
        raise Failed(f"rules: {rules}")
    manager = deployment.address("ALERTMANAGER_PORT")
    wait("the watchdog reaches Alertmanager", UP_SECONDS, lambda: "LarkfireWatchdog" in asked(manager, "/api/v2/alerts")[1])


def survives_half(deployment: Deployment) -> None:
    """with one ingest and one worker killed, the next alert is on a card"""
    deployment.podman.run("kill", deployment.container("ingest-1"), deployment.container("worker-1"))
    deployment.tell("LinkDown")
    deployment.is_told("LinkDown")


def survives_a_restart(deployment: Deployment) -> None:
    """taken down and up again on the same volumes, it goes on where it was"""
    deployment.compose("down", "--timeout", "60")
    deployment.compose("up", "--detach")
    for service in OURS:
        wait(f"{service} is ready", UP_SECONDS, lambda: deployment.is_ready(service), deployment.logs)
    deployment.tell("QueueGrows")
    deployment.is_told("QueueGrows")


CHECKS = (comes_up, keeps_to_itself, tells, is_watched, survives_half, survives_a_restart)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binaries", type=Path, required=True, help="folder with feishu-sim")
    binaries = arguments.parse_args().binaries.resolve()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            deployment = Deployment(Path(folder), binaries)
        except Failed as failure:
            sys.exit(f"check-compose: {failure}")
        try:
            for number, check in enumerate(CHECKS):
                check(deployment)
                print(f"{time.monotonic() - began:5.1f} s  ok      {check.__doc__}", flush=True)
        except Failed as failure:
            print(f"{time.monotonic() - began:5.1f} s  FAILED  {check.__doc__}\n{failure}")
            print(f"check-compose: {number} passed, 1 failed")
            return 1
        finally:
            deployment.compose("down", "--volumes", "--timeout", "60")
    print(f"check-compose: {len(CHECKS)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
