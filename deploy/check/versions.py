"""`make test-versions`: the suites of the queue, of the ledger and of chaos against the servers of Debian's stable and unstable.

As root. Each release is a root directory of its own in target/versions, made by mmdebstrap and kept for the next time. What it prints at
the end is the table of docs/compatibility.md. Then a cluster of three RabbitMQ nodes loses its leader under load (cluster.py).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import cluster
from debian_root import Database, RabbitNode, Root, free_port

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).resolve()
RABBITMQ, ALERTMANAGER = "rabbitmq-server", "prometheus-alertmanager"
# What has its programs in the path of a server, and what is asked for its version.
RELEASES = {"trixie": ("mariadb-server", "MariaDB"), "sid": ("mysql-server", "MySQL")}
SUITE_SECONDS = 1200
CHAOS_SECONDS = 45


@dataclass(frozen=True)
class Suite:
    """Tests of one binary: the package's folder, its target, and which of them."""

    name: str
    folder: str
    package: str
    target: str
    filters: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)


SUITES = (
    Suite("queue", "shared/queue", "larkfire-queue", "rabbitmq", ()),
    Suite("ledger", "worker", "larkfire-worker", "database", ("ledger::", "budget::", "dead_letters::", "history::", "store::")),
    Suite("chaos", "standalone", "larkfire", "chaos", ("chance::",), {"LARKFIRE_CHAOS_SECONDS": str(CHAOS_SECONDS)}),
)


def built(suite: Suite) -> Path:
    """The binary with its tests."""
    command = ("cargo", "test", "--no-run", "--message-format=json", "--package", suite.package, "--test", suite.target)
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    artifacts = (json.loads(line) for line in done.stdout.splitlines())
    return next(Path(one["executable"]) for one in artifacts if one.get("executable") and one["target"]["name"] == suite.target)


def run(suite: Suite, binary: Path, variables: dict[str, str], log: Path) -> str:
    """`N passed`, or what failed."""
    command = (binary, *suite.filters, "--nocapture") if suite.name == "chaos" else (binary, *suite.filters)
    with log.open("w") as said:
        try:
            environment = {**os.environ, **variables, **suite.variables}
            subprocess.run(command, cwd=ROOT / suite.folder, env=environment, stdout=said, stderr=said, timeout=SUITE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return f"not over within {SUITE_SECONDS} s"
    found = re.search(r"test result: (\w+)\. (\d+) passed; (\d+) failed", log.read_text())
    if not found:
        return "ended without a result"
    return f"{found[2]} passed" if found[3] == "0" and found[2] != "0" else f"{found[2]} passed, {found[3]} failed"


def wrapper(root: Root, folder: Path) -> str:
    """A path in which the programs that tests start by name are those of this root."""
    folder.mkdir()
    program = folder / ALERTMANAGER
    program.write_text(f'#!/bin/sh\nexec chroot {root.path} /usr/bin/{ALERTMANAGER} "$@"\n')
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def main() -> int:
    if os.geteuid() != 0:
        sys.exit("test-versions makes roots of other releases and changes into them: run it as root")
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)

    binaries = {suite.name: built(suite) for suite in SUITES}
    say("the tests are built")
    folder, rows, cluster_said = TARGET / "versions", [], []
    for release, (database_package, database_name) in RELEASES.items():
        root = Root(folder, release, (RABBITMQ, database_package, ALERTMANAGER))
        home = Path(tempfile.mkdtemp(prefix="larkfire-versions-"))
        try:
            versions = [root.version(one) for one in (RABBITMQ, database_package, ALERTMANAGER)]
            say(f"{release}: RabbitMQ {versions[0]}, {database_name} {versions[1]}, Alertmanager {versions[2]}")
            node, database = RabbitNode(root, home / "rabbitmq", "larkfire", free_port()), Database(root, home / "database")
            variables = {
                "PATH": wrapper(root, home / "bin"),
                "TEST_RABBITMQ_ROOT": str(root.path),
                "TEST_AMQP_URL": node.url,
                "TEST_MYSQL_URL": database.url,
            }
            cells = []
            for suite in SUITES:
                cells.append(run(suite, binaries[suite.name], variables, folder / f"{release}-{suite.name}.log"))
                say(f"{release}: {suite.name}: {cells[-1]}")
            rows.append(f"| Debian {release} | RabbitMQ {versions[0]} | {database_name} {versions[1]} | Alertmanager {versions[2]} | {' | '.join(cells)} |")
            if release == "sid":
                cluster_said = cluster.lose_the_leader(root, home / "cluster", TARGET / "debug", say)
        finally:
            root.close()
            shutil.rmtree(home, ignore_errors=True)
    print("\n| from | broker | database | sender | queue | ledger | chaos |\n|---|---|---|---|---|---|---|")
    print(*rows, sep="\n")
    print(*cluster_said, sep="\n")
    is_well = all("fail" not in row and "not over" not in row and "without" not in row for row in rows) and cluster_said
    print(f"test-versions: {'passed' if is_well else 'failed'}; logs are in {folder}")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
