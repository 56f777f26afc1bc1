"""The configuration that each pod of ours is given is one that our programs take: their own `check --strict` says so."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import uuid
from base64 import b64decode
from pathlib import Path

from objects import Object, Pod, at, of_kind, pods

ETC = "/etc/larkfire"
# What Secrets that we do not render hold here. Nothing of it works anywhere.
DUMMIES = {
    "amqp-url": "amqp://larkfire:dummy@rabbitmq:5672/%2f",
    "database-url": "mysql://larkfire:dummy@mariadb:3306/larkfire",
    "basic-auth": "sender:dummy-password",
    "alertmanager": "larkfire:dummy-password",
}
WEBHOOK = "https://open.feishu.cn/open-apis/bot/v2/hook/"
# Warnings that an example is for; `--strict` counts all others.
MEANT = {"small": ("without database.url (DATABASE_URL) each worker remembers in a file of its own",)}
# Of every pod: nobody knows its address beforehand, and the NetworkPolicy stands in front of its admin port.
MEANT_OF_PODS = ("admin_listen 0.0.0.0:9095 is open to whoever reaches this machine",)


def problems_of(example: str, objects: list[Object], binaries: Path) -> list[str]:
    problems = []
    for pod in pods(objects):
        if not pod.runs_once:
            problems += [f"{example}: {pod.owner}: {said}" for said in refused(example, pod, objects, binaries)]
    return problems


def refused(example: str, pod: Pod, objects: list[Object], binaries: Path) -> list[str]:
    container = pod.spec["containers"][0]
    program = container["command"][0]
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), pod, objects)
        set_here = {one["name"]: one["value"].replace(ETC, folder) for one in container["env"] if "value" in one}
        done = subprocess.run(
            [binaries / program, "check", "--strict", "--json"],
            env={**set_here, "PATH": os.environ["PATH"]},
            cwd=folder,
            capture_output=True,
            text=True,
        )
    if not done.stdout:
        return [f"{program} check says nothing: {done.stderr}"]
    return problems_in(done.stdout, MEANT_OF_PODS + MEANT.get(example, ()))


def problems_in(said: str, meant: tuple[str, ...]) -> list[str]:
    """What is wrong by the answer of `check --json`, less warnings that are meant."""
    answer = json.loads(said)
    problems = [f"{one['place']}: {one['message']}" for one in answer["problems"]]
    return problems + [warning for warning in answer["warnings"] if not warning.startswith(meant)]


def fill(folder: Path, pod: Pod, objects: list[Object]) -> None:
    """The volumes of the pod as files: what ConfigMaps and Secrets hold, dummies for those of others."""
    config = folder / "config"
    secrets = folder / "secrets"
    config.mkdir()
    secrets.mkdir()
    for volume in pod.spec["volumes"]:
        if volume["name"] == "config":
            text = data_of(objects, "ConfigMap", volume["configMap"]["name"]).get("larkfire.yaml", "{}")
            (config / "larkfire.yaml").write_text(text.replace(ETC, str(folder)))
        for source in at(volume, "projected", "sources") or []:
            held = data_of(objects, "Secret", source["secret"]["name"])
            for item in source["secret"]["items"]:
                value = b64decode(held[item["key"]]).decode() if held else dummy(item["path"])
                (secrets / item["path"]).write_text(value)


def data_of(objects: list[Object], kind: str, name: str) -> dict[str, str]:
    return next((found["data"] for found in of_kind(objects, kind) if found["metadata"]["name"] == name), {})


def dummy(file: str) -> str:
    """Of each webhook another one: two receivers on one bot are a warning."""
    if file in DUMMIES:
        return DUMMIES[file]
    is_webhook = "webhook" in file or file.startswith("bot-") and not file.endswith("secret")
    return WEBHOOK + str(uuid.uuid5(uuid.NAMESPACE_URL, file)) if is_webhook else f"dummy-{file}"
