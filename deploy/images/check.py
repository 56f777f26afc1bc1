"""`make check-images`: the image that `make images` has built is small, holds no more than it should, and runs locked down.

As root, by podman. Nothing leaves this machine: alerts end in a preview.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Callable

from engine import IMAGE, ROOT, Failed, Podman, asked, free_address, wait

BYTES_MAX = 60_000_000
READY_SECONDS = 60
STOP_SECONDS_MAX = 10
BINARIES = ("larkfire", "larkfire-ingest", "larkfire-worker")
# No program that runs others, or brings them.
UNWANTED = {"sh", "bash", "dash", "busybox", "apt", "apt-get", "dpkg", "perl", "curl", "wget"}
LOCKED_DOWN = ("--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--security-opt=no-new-privileges")
ALERT = json.dumps({"message": "Disk full on db-1", "sender_id": "check-images"})


def commit() -> str:
    return subprocess.run(("git", "rev-parse", "HEAD"), cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def what_it_is(podman: Podman) -> list[str]:
    """its size, user, labels, stop signal and health check"""
    image = podman.inspect("image", IMAGE)
    config, labels = image["Config"], image["Labels"] or {}
    problems = []
    print(f"        {image['Size'] / 1e6:.1f} MB, {len(image['RootFS']['Layers'])} layers")
    if image["Size"] > BYTES_MAX:
        problems.append(f"it has {image['Size']} bytes, more than {BYTES_MAX}")
    wanted = {
        "user": (config.get("User"), "65532:65532"),
        "stop signal": (config.get("StopSignal"), "SIGTERM"),
        "entry point": (config.get("Entrypoint"), None),
        "command": (config.get("Cmd"), ["larkfire"]),
        "health check": ((image.get("Healthcheck") or {}).get("Test"), ["CMD", "larkfire", "health"]),
        "revision": (labels.get("org.opencontainers.image.revision"), commit()),
        "licence": (labels.get("org.opencontainers.image.licenses"), "Apache-2.0"),
    }
    problems += [f"its {what} is {found!r}, not {right!r}" for what, (found, right) in wanted.items() if found != right]
    leaked = [one for one in config["Env"] if one.startswith(("CARGO", "RUST"))]
    return problems + [f"the build left {one} in its environment" for one in leaked]


def what_it_holds(podman: Podman) -> list[str]:
    """no shell, nothing that gives rights, no sources; a bundle of authorities"""
    name = "larkfire-check-files"
    podman.names.append(name)
    podman.run("create", "--name", name, IMAGE)
    with tempfile.NamedTemporaryFile(suffix=".tar") as packed:
        podman.run("export", "--output", packed.name, name)
        with tarfile.open(packed.name) as files:
            members = files.getmembers()
    problems = [f"{one.name} is in it" for one in members if Path(one.name).name in UNWANTED and not one.isdir()]
    problems += [f"{one.name} gives rights" for one in members if one.isfile() and one.mode & 0o6000]
    problems += [f"{one.name} is of the build" for one in members if one.name.startswith(("src", "cargo", "out"))]
    names = {one.name for one in members}
    needed = ["etc/ssl/certs/ca-certificates.crt", *(f"usr/bin/{binary}" for binary in BINARIES)]
    return problems + [f"{one} is not in it" for one in needed if one not in names]


def what_it_says(podman: Podman) -> list[str]:
    """version and commit, by each of its binaries"""
    version = podman.inspect("image", IMAGE)["Labels"]["org.opencontainers.image.version"]
    problems = []
    for binary in BINARIES:
        said = podman.run("run", "--rm", "--network=none", *LOCKED_DOWN, IMAGE, binary, "--version").strip()
        if said != f"{binary} {version} ({commit()[:12]})":
            problems.append(f"{binary} --version says {said!r}")
    return problems


class Running:
    """The embedded Larkfire of the image, in preview, locked down."""

    def __init__(self, podman: Podman, name: str, *options: str) -> None:
        self.podman, self.name = podman, name
        self.address, self.admin = free_address(), free_address()
        variables = {"LARKFIRE_LISTEN": self.address, "LARKFIRE_ADMIN_LISTEN": self.admin, "LARKFIRE_PREVIEW": "true"}
        settings = [argument for pair in variables.items() for argument in ("--env", "=".join(pair))]
        podman.start(name, *LOCKED_DOWN, "--volume", "/var/lib/larkfire", *settings, *options, IMAGE)

    def becomes_ready(self) -> None:
        wait(f"{self.name} is ready", READY_SECONDS, lambda: asked(self.admin, "/readyz")[0] == 200, lambda: self.podman.logs(self.name))


def how_it_runs(podman: Podman) -> list[str]:
    """read-only, without capabilities: an alert is taken and shown; healthy; stops at SIGTERM"""
    running = Running(podman, "larkfire-check-run")
    running.becomes_ready()
    problems = []
    status, _ = asked(running.address, "/api/alert", ALERT)
    if status != 202:
        problems.append(f"an alert is answered {status}")
    wait("the alert is shown", READY_SECONDS, lambda: "Disk full on db-1" in podman.logs(running.name), lambda: podman.logs(running.name))
    podman.run("healthcheck", "run", running.name)
    metrics = asked(running.admin, "/metrics")[1]
    if f'larkfire_build_info{{commit="{commit()[:12]}"' not in metrics:
        problems.append("larkfire_build_info does not say the commit")
    process = podman.inspect("container", running.name)["State"]["Pid"]
    status_lines = Path(f"/proc/{process}/status").read_text().splitlines()
    held = {line.split(":")[0]: line.split(":")[1].split() for line in status_lines}
    if held["Uid"] != ["65532"] * 4 or int(held["CapBnd"][0], 16) or int(held["CapEff"][0], 16):
        problems.append(f"it runs as {held['Uid']} with capabilities {held['CapBnd']}")
    began = time.monotonic()
    code = podman.ended(running.name)
    if code != 0 or time.monotonic() - began > STOP_SECONDS_MAX:
        problems.append(f"it ended with {code} after {time.monotonic() - began:.0f} s")
    return problems


def without_a_bundle(podman: Podman) -> list[str]:
    """without a bundle of authorities it starts with those built in, and warns"""
    running = Running(podman, "larkfire-check-no-bundle", "--tmpfs", "/etc/ssl/certs:ro,notmpcopyup", "--unsetenv", "SSL_CERT_FILE")
    running.becomes_ready()
    said = podman.logs(running.name)
    return [] if "those built into Larkfire are believed" in said else [f"no warning: {said}"]


def with_a_bundle_that_is_not_there(podman: Podman) -> list[str]:
    """a bundle that is named and not there is said, and ends it"""
    name = "larkfire-check-wrong-bundle"
    Running(podman, name, "--env", "SSL_CERT_FILE=/nothing.pem")
    code = podman.run("wait", name).strip()
    said = podman.logs(name)
    return [] if code == "1" and "SSL_CERT_FILE=/nothing.pem" in said else [f"it ended with {code}: {said}"]


CHECKS: tuple[Callable[[Podman], list[str]], ...] = (
    what_it_is,
    what_it_holds,
    what_it_says,
    how_it_runs,
    without_a_bundle,
    with_a_bundle_that_is_not_there,
)


def main() -> int:
    began, failed = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as folder:
        podman = Podman(Path(folder))
        try:
            for check in CHECKS:
                try:
                    problems = check(podman)
                except Failed as failure:
                    problems = [str(failure)]
                print(f"{time.monotonic() - began:5.1f} s  {'FAILED' if problems else 'ok    '}  {check.__doc__}", flush=True)
                print("".join(f"          {problem}\n" for problem in problems), end="", flush=True)
                failed += bool(problems)
        finally:
            podman.remove_all()
    print(f"check-images: {len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
