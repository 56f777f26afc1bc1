"""Pods of a rendering as processes of this machine: their files, variables and user, a root they cannot write to, no network of their own.

No Kubernetes is involved. What it would do to a pod is done by hand: volumes change by swapping the link `..data`, as the kubelet does; a deletion is
an endpoint withdrawn, `SIGTERM`, and `SIGKILL` when `terminationGracePeriodSeconds` are over.
"""

from __future__ import annotations

import http.client
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from base64 import b64decode
from pathlib import Path

from objects import Object, Pod, at, of_kind

USER = 65532
READY_SECONDS = 60
# How long load balancers go on sending to a pod that is being deleted.
WITHDRAWN_AFTER_SECONDS = 1
# What a program finds in an image beside itself.
BORROWED_FOLDERS = ("usr", "lib", "lib64", "dev", "etc/ssl")
BORROWED_FILES = ("etc/resolv.conf", "etc/hosts", "etc/nsswitch.conf")


def hold(folder: Path, files: dict[str, str]) -> None:
    """The volume holds these files from now on, all at once."""
    folder.mkdir(parents=True, exist_ok=True)
    held = folder / f"..{time.time_ns()}"
    held.mkdir()
    for name, text in files.items():
        (held / name).write_text(text)
        (held / name).chmod(0o440)
        os.chown(held / name, 0, USER)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..data_tmp").symlink_to(held.name)
    (folder / "..data_tmp").rename(folder / "..data")


def data_of(objects: list[Object], kind: str, name: str) -> dict[str, str]:
    return next(found["data"] for found in of_kind(objects, kind) if found["metadata"]["name"] == name)


class Rehearsed:
    """One pod, running."""

    def __init__(self, pod: Pod, objects: list[Object], folder: Path, address: str, program: Path) -> None:
        self.spec, self.address, self.folder = pod.spec, address, folder
        self.container = pod.spec["containers"][0]
        self.name = f"{self.container['name']} at {address}"
        self.is_endpoint = False
        self.secrets: dict[str, str] = {}
        for volume in self.spec["volumes"]:
            self.fill(volume, objects)
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(["unshare", "--mount", "sh", "-c", self.command(program)], stdout=log, stderr=log)

    def fill(self, volume: Object, objects: list[Object]) -> None:
        folder = self.folder / "volumes" / volume["name"]
        if "configMap" in volume:
            hold(folder, data_of(objects, "ConfigMap", volume["configMap"]["name"]))
        elif "projected" in volume:
            for source in volume["projected"]["sources"]:
                held = data_of(objects, "Secret", source["secret"]["name"])
                self.secrets |= {item["path"]: b64decode(held[item["key"]]).decode() for item in source["secret"]["items"]}
            hold(folder, self.secrets)
        else:
            folder.mkdir(parents=True)
            os.chown(folder, 0, USER)
            folder.chmod(0o2775)

    def command(self, program: Path) -> str:
        """A shell script: a root of borrowed folders and the pod's volumes, read-only but for those; then the program, as its user."""
        root = self.folder / "root"
        steps = ["set -e", f"mkdir -p {root}", f"mount --bind {root} {root}", f"mkdir -p {root}/tmp"]
        for name in BORROWED_FOLDERS:
            steps.append(f"mkdir -p {root}/{name}; mount --rbind --make-private /{name} {root}/{name}")
        steps += [f"cp /{name} {root}/{name}" for name in BORROWED_FILES]
        steps.append(f"touch {root}/program; mount --bind {program} {root}/program")
        for mount in self.container["volumeMounts"]:
            inside = f"{root}{mount['mountPath']}"
            steps.append(f"mkdir -p {inside}; mount --bind {self.folder}/volumes/{mount['name']} {inside}")
            if mount.get("readOnly"):
                steps.append(f"mount -o remount,bind,ro {inside}")
        if self.container["securityContext"]["readOnlyRootFilesystem"]:
            steps.append(f"mount -o remount,bind,ro {root}")
        variables = {one["name"]: one["value"].replace("0.0.0.0", self.address) for one in self.container["env"]}
        settings = " ".join(shlex.quote(f"{name}={value}") for name, value in variables.items())
        user = self.spec["securityContext"]
        steps.append(f"exec chroot --groups= --userspec={user['runAsUser']}:{user['runAsGroup']} {root} env -i {settings} /program")
        return "\n".join(steps)

    def is_ready(self) -> bool:
        """Whether `/readyz` says so."""
        connection = http.client.HTTPConnection(self.address, 9095, timeout=3)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def becomes_endpoint(self) -> None:
        """Waits until it is ready."""
        end = time.monotonic() + READY_SECONDS
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.name} does not become ready: {self.log.read_text()[-2000:]}")
            time.sleep(0.1)
        self.is_endpoint = True

    def is_deleted(self) -> str:
        """As Kubernetes does it; says how it ended."""
        withdrawal = threading.Timer(WITHDRAWN_AFTER_SECONDS, self.withdraw)
        withdrawal.start()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(self.spec["terminationGracePeriodSeconds"])
            return f"{self.name} ended with {self.process.returncode}"
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return f"{self.name} was killed: terminationGracePeriodSeconds are too few"
        finally:
            withdrawal.join()

    def withdraw(self) -> None:
        self.is_endpoint = False

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        shutil.rmtree(self.folder)
