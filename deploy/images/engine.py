"""Containers of this machine, by podman: as root, with limits that also hold where nothing may be raised, on the host's network."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Callable

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "localhost/larkfire:dev"
# Without a daemon of systemd: runc, and control groups by files.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""


class Failed(Exception):
    """A command that had to succeed; what it said."""


def environment(folder: Path) -> dict[str, str]:
    """What podman is run with; `folder` is for its configuration."""
    (folder / "containers.conf").write_text(CONTAINERS_CONF)
    return {**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")}


class Podman:
    """podman, and the containers it was asked for, which it removes at the end."""

    def __init__(self, folder: Path) -> None:
        self.variables = environment(folder)
        self.names: list[str] = []

    def run(self, *arguments: str, fails: bool = False) -> str:
        """What it prints. On stderr podman complains of health checks that it cannot plan without systemd."""
        done = subprocess.run(("podman", *arguments), capture_output=True, text=True, env=self.variables, stdin=subprocess.DEVNULL)
        if done.returncode != 0 and not fails:
            raise Failed(f"podman {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def succeeds(self, *arguments: str) -> bool:
        return subprocess.run(("podman", *arguments), capture_output=True, env=self.variables, stdin=subprocess.DEVNULL).returncode == 0

    def inspect(self, kind: str, name: str) -> dict[str, Any]:
        return json.loads(self.run(kind, "inspect", name))[0]

    def start(self, name: str, *arguments: str) -> None:
        self.names.append(name)
        self.run("run", "--detach", "--network=host", "--name", name, *arguments)

    def logs(self, name: str, *options: str) -> str:
        """What the container said, on both streams."""
        command = ("podman", "logs", *options, name)
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.variables).stdout

    def ended(self, name: str) -> int:
        """How it ended, after it was told to."""
        self.run("stop", "--time", "60", name)
        return self.inspect("container", name)["State"]["ExitCode"]

    def remove_all(self) -> None:
        for name in self.names:
            self.run("rm", "--force", "--volumes", name, fails=True)


def free_address() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % listener.getsockname()[1]


def asked(address: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Status and body; 0 and why where nothing answers."""
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("POST" if body else "GET", path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


def wait(what: str, seconds: float, is_so: Callable[[], bool], told: Callable[[], str] = str) -> None:
    """Until it is so, or too late; then `told` says more."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise Failed(f"not within {seconds:.0f} s: {what}\n{told()}")
        time.sleep(0.2)
