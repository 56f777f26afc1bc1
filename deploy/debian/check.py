"""`make check-deb`: the package of `make deb`, installed into a throw-away Debian, started there as its units would, upgraded, purged.

As root. There is no systemd in it: what a unit says of program, user, variables and state is done by hand. The units themselves are
looked at by systemd-analyze in `make test`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy/images"))

from engine import Failed, asked, free_address, wait  # noqa: E402

SUITE = "bookworm"
READY_SECONDS = 60
BINARIES = ("larkfire", "larkfire-ingest", "larkfire-worker")
ADMINISTRATORS = "# changed by the administrator\n"


class Debian:
    """A root with nothing but a small Debian, and the package's file in it."""

    def __init__(self, root: Path, package: Path) -> None:
        self.root = root
        command = ("mmdebstrap", "--quiet", "--mode=root", "--variant=minbase", "--include=adduser,ca-certificates", SUITE, str(root))
        subprocess.run(command, check=True)
        shutil.copy(package, root / "larkfire.deb")
        # Without this, maintainer scripts of some packages look for an init.
        (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (root / "usr/sbin/policy-rc.d").chmod(0o755)

    def run(self, *command: str, fails: bool = False) -> str:
        variables = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
        done = subprocess.run(("chroot", self.root, *command), env=variables, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if fails is (done.returncode == 0):
            raise Failed(f"{' '.join(command)}: {done.returncode} {done.stdout}{done.stderr}")
        return done.stdout

    def install(self) -> None:
        self.run("dpkg", "--install", "--force-confold", "/larkfire.deb")

    def unit(self, name: str) -> dict[str, list[str]]:
        """What its section [Service] says, by key."""
        said: dict[str, list[str]] = {}
        for line in (self.root / f"usr/lib/systemd/system/{name}.service").read_text().splitlines():
            key, parted, value = line.partition("=")
            if parted and not line.startswith("#"):
                said.setdefault(key, []).append(value)
        return said


def is_installed(debian: Debian) -> None:
    """it installs: three binaries that start, a user who cannot log in, settings that the group may read"""
    debian.install()
    for binary in BINARIES:
        if not debian.run(binary, "--version").startswith(f"{binary} "):
            raise Failed(f"{binary} --version says something else")
    user = debian.run("getent", "passwd", "larkfire").strip()
    if not user.endswith(("/nologin", "/false")):
        raise Failed(f"the user may log in: {user}")
    found = debian.run("stat", "--format=%a %U:%G %n", "/etc/larkfire", "/etc/larkfire/larkfire.yaml", "/etc/larkfire/larkfire.env").split("\n")
    wanted = ["750 root:larkfire /etc/larkfire", "644 root:root /etc/larkfire/larkfire.yaml", "640 root:larkfire /etc/larkfire/larkfire.env", ""]
    if found != wanted:
        raise Failed(f"{found}, not {wanted}")
    conffiles = debian.run("dpkg-query", "--show", "--showformat=${Conffiles}", "larkfire")
    if conffiles.count("/etc/larkfire/") != 4:
        raise Failed(f"conffiles: {conffiles}")
    for file in ("usr/share/man/man1/larkfire-worker.1.gz", "usr/share/bash-completion/completions/larkfire"):
        if not (debian.root / file).exists():
            raise Failed(f"{file} is missing")


def starts(debian: Debian) -> None:
    """it starts as its unit says, takes an alert, is healthy, and ends at SIGTERM"""
    unit = debian.unit("larkfire")
    program, user, state = unit["ExecStart"][0], unit["User"][0], unit["StateDirectory"][0]
    variables = dict(setting.split("=", 1) for setting in unit["Environment"])
    lines = (debian.root / unit["EnvironmentFile"][0].lstrip("-/")).read_text().splitlines()
    variables |= dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    address, admin = free_address(), free_address()
    variables |= {"LARKFIRE_LISTEN": address, "LARKFIRE_ADMIN_LISTEN": admin, "LARKFIRE_PREVIEW": "true"}
    debian.run("install", "-d", "-m", unit["StateDirectoryMode"][0], "-o", user, "-g", user, f"/var/lib/{state}")
    command = ("chroot", f"--userspec={user}:{user}", debian.root, program)
    with (debian.root / "log").open("w") as log:
        process = subprocess.Popen(command, env={"PATH": os.environ["PATH"], **variables}, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        wait("it is ready", READY_SECONDS, lambda: asked(admin, "/readyz")[0] == 200, (debian.root / "log").read_text)
        status, said = asked(address, "/api/alert", json.dumps({"message": "Disk full on db-1", "sender_id": "check-deb"}))
        if status != 202:
            raise Failed(f"an alert is answered {status}: {said}")
        wait("the alert is shown", READY_SECONDS, lambda: "Disk full on db-1" in (debian.root / "log").read_text())
        debian.run("env", f"LARKFIRE_ADMIN_LISTEN={admin}", program, "health", "--ready")
        process.terminate()
        if process.wait(30) != 0:
            raise Failed(f"it ended with {process.returncode}")
    finally:
        process.kill()
        process.wait()


def says_what_is_missing(debian: Debian) -> None:
    """a worker as it is installed ends with 64 and says what to set: the unit does not start it again"""
    variables = ("LARKFIRE_CONFIG=/etc/larkfire/larkfire.yaml",)
    done = subprocess.run(("chroot", debian.root, "env", *variables, "larkfire-worker"), capture_output=True, text=True)
    if done.returncode != 64 or "set AMQP_URL" not in done.stderr:
        raise Failed(f"it ended with {done.returncode}: {done.stdout}{done.stderr}")
    if debian.unit("larkfire-worker")["RestartPreventExitStatus"] != ["64"]:
        raise Failed("the unit would start it again")


def is_upgraded(debian: Debian) -> None:
    """installed once more, what the administrator changed stays: settings, owner and rights"""
    settings = debian.root / "etc/larkfire/larkfire.yaml"
    settings.write_text(ADMINISTRATORS + settings.read_text())
    debian.run("chmod", "0600", "/etc/larkfire/larkfire.env")
    debian.install()
    if not settings.read_text().startswith(ADMINISTRATORS):
        raise Failed("larkfire.yaml was replaced")
    if (debian.root / "etc/larkfire/larkfire.env").stat().st_mode & 0o777 != 0o600:
        raise Failed("the rights of larkfire.env were changed")


def is_removed(debian: Debian) -> None:
    """removed, settings and state stay; purged, nothing does"""
    debian.run("dpkg", "--remove", "larkfire")
    kept = [debian.root / "etc/larkfire/larkfire.yaml", debian.root / "var/lib/larkfire/queue.db"]
    if not all(path.exists() for path in kept):
        raise Failed("a removal took settings or state along")
    debian.run("dpkg", "--purge", "larkfire")
    debian.run("getent", "passwd", "larkfire", fails=True)
    left = [str(path) for name in ("etc/larkfire", "var/lib/larkfire", "usr/bin/larkfire") if (path := debian.root / name).exists()]
    if left:
        raise Failed(f"left behind: {left}")


CHECKS = (is_installed, starts, says_what_is_missing, is_upgraded, is_removed)


def main() -> int:
    if os.geteuid() != 0:
        sys.exit("check-deb installs packages into a root of its own: run it as root")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    packages = sorted(target.glob("debian/larkfire_*.deb"), key=lambda path: path.stat().st_mtime)
    if not packages:
        sys.exit(f"no package in {target / 'debian'}: make deb")
    began = time.monotonic()
    print(f"{packages[-1].name}, {packages[-1].stat().st_size / 1e6:.1f} MB")
    with tempfile.TemporaryDirectory() as folder:
        debian = Debian(Path(folder) / "root", packages[-1])
        for number, check in enumerate(CHECKS):
            try:
                check(debian)
            except Failed as failure:
                print(f"{time.monotonic() - began:5.1f} s  FAILED  {check.__doc__}\n{failure}\ncheck-deb: {number} passed, 1 failed")
                return 1
            print(f"{time.monotonic() - began:5.1f} s  ok      {check.__doc__}", flush=True)
    print(f"check-deb: {len(CHECKS)} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
