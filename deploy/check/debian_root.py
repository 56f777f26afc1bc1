"""Servers of another Debian release, in a root directory of their own that mmdebstrap makes: as root, on this machine's network."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable

READY_SECONDS = 120
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class NotReady(Exception):
    """A server that did not come up; what it said."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Root:
    """The packages of a release, installed; made once and kept. `close` ends what runs in it."""

    def __init__(self, folder: Path, suite: str, packages: tuple[str, ...]) -> None:
        self.suite, self.path = suite, (folder / suite).resolve()
        self.started: list[subprocess.Popen] = []
        made = self.path / ".made"
        if not made.exists() or made.read_text() != " ".join(packages):
            shutil.rmtree(self.path, ignore_errors=True)
            folder.mkdir(parents=True, exist_ok=True)
            options = ("--quiet", "--variant=minbase", "--aptopt=Acquire::Check-Valid-Until \"false\"", f"--include={','.join(packages)}")
            subprocess.run(("mmdebstrap", *options, suite, self.path), check=True)
            (self.path / "etc/hosts").write_text("127.0.0.1 localhost\n")
            made.write_text(" ".join(packages))
        # Tests give servers files of theirs, which lie in /tmp.
        for command in (("mount", "-t", "proc", "proc", self.path / "proc"), ("mount", "--bind", "/tmp", self.path / "tmp")):
            subprocess.run(command, check=True)

    def version(self, package: str) -> str:
        """Of its makers, without what Debian adds."""
        asked = self.run("dpkg-query", "--show", "--showformat=${Version}", package)
        return re.split(r"[-+~]", asked.rpartition(":")[2])[0]

    def tried(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": PATH, "LC_ALL": "C", **variables}
        return subprocess.run(("chroot", self.path, *command), env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def run(self, *command: str, **variables: str) -> str:
        done = self.tried(*command, **variables)
        if done.returncode != 0:
            raise NotReady(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self, log: Path, *command: str, **variables: str) -> subprocess.Popen:
        environment = {"PATH": PATH, "LC_ALL": "C", **variables}
        with log.open("w") as said:
            process = subprocess.Popen(("chroot", self.path, *command), env=environment, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        self.started.append(process)
        return process

    def wait(self, what: str, log: Path, is_so: Callable[[], bool]) -> None:
        end = time.monotonic() + READY_SECONDS
        while not is_so():
            if time.monotonic() > end:
                raise NotReady(f"{what} of {self.suite}: {log.read_text()[-2000:]}")
            time.sleep(0.3)

    def close(self) -> None:
        """Whatever has this root is ours, the port mapper of a RabbitMQ included."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "root").readlink() == self.path:
                    os.kill(int(process.name), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue
        for process in self.started:
            process.wait()
        for mounted in ("proc", "tmp"):
            subprocess.run(("umount", "--lazy", self.path / mounted), check=False)


class RabbitNode:
    """A RabbitMQ node, perhaps one of several that know each other."""

    def __init__(self, root: Root, home: Path, name: str, mapper_port: int) -> None:
        self.root, self.name = root, f"{name}@localhost"
        self.port = free_port()
        self.home = home / name
        self.home.mkdir(parents=True)
        (self.home / "enabled_plugins").write_text("[].\n")
        inside = str(self.home)
        self.variables = {
            # One secret and one port mapper for all nodes of a run, and not those of the machine's own broker.
            "HOME": str(home),
            "ERL_EPMD_PORT": str(mapper_port),
            "RABBITMQ_NODENAME": self.name,
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": f"{inside}/data",
            "RABBITMQ_LOG_BASE": f"{inside}/log",
            "RABBITMQ_PID_FILE": f"{inside}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{inside}/enabled_plugins",
            "RABBITMQ_CONFIG_FILE": f"{inside}/none",
            "RABBITMQ_CONF_ENV_FILE": f"{inside}/none",
        }
        self.start()

    def start(self) -> None:
        log = self.home / "stdout"
        self.root.start(log, "/usr/lib/rabbitmq/bin/rabbitmq-server", **self.variables)
        self.root.wait(f"RabbitMQ {self.name}", log, self.is_up)

    def is_up(self) -> bool:
        return self.root.tried(*self.told("await_startup"), **self.variables).returncode == 0

    def control(self, *words: str) -> str:
        return self.root.run(*self.told(*words), **self.variables)

    def told(self, *words: str) -> tuple[str, ...]:
        return "/usr/lib/rabbitmq/bin/rabbitmqctl", "--quiet", "-n", self.name, *words

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/%2f"

    def kill(self) -> None:
        """kill -9 of the virtual machine."""
        os.kill(int((self.home / "pid").read_text()), signal.SIGKILL)


class Database:
    """A MariaDB or MySQL, with a root that needs no password."""

    def __init__(self, root: Root, home: Path) -> None:
        self.port = free_port()
        home.mkdir(parents=True)
        home.chmod(0o777)
        data, log = f"{home}/data", home / "log"
        where = (f"--datadir={data}", "--user=root")
        if (root.path / "usr/sbin/mariadbd").exists():
            root.run("mariadb-install-db", "--no-defaults", *where, "--auth-root-authentication-method=normal", "--skip-test-db", TMPDIR=str(home))
            server, further = "/usr/sbin/mariadbd", ()
        else:
            root.run("/usr/sbin/mysqld", "--no-defaults", "--initialize-insecure", *where)
            server, further = "/usr/sbin/mysqld", ("--mysqlx=OFF", "--secure-file-priv=")
        listens = (f"--port={self.port}", "--bind-address=127.0.0.1", f"--socket={home}/socket", f"--pid-file={home}/pid")
        root.start(log, server, "--no-defaults", *where, *listens, *further, TMPDIR=str(home))
        root.wait("the database", log, self.answers)

    def answers(self) -> bool:
        try:
            # A server that is up greets whoever connects.
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                return len(connection.recv(5)) == 5
        except OSError:
            return False

    @property
    def url(self) -> str:
        return f"mysql://root@127.0.0.1:{self.port}"
