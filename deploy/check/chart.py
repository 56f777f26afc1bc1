"""The chart as a whole: what it renders from the values of `helm/ci`, what it refuses, and what it must have in common with the documents."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import yaml

from objects import Object, pods, read

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm"
RELEASE = "rel"


class Refused(Exception):
    """Helm does not render this; what it says."""


def helm(*arguments: str) -> str:
    done = subprocess.run([ROOT / ".tools/bin/helm", *arguments], capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        raise Refused(done.stderr)
    return done.stdout


def render(*arguments: str) -> str:
    return helm("template", RELEASE, str(CHART), *arguments)


def value_files() -> list[Path]:
    return sorted((CHART / "ci").glob("*-values.yaml"))


# Settings that are refused, and the words of the sentence.
REFUSALS: dict[tuple[str, ...], str] = {
    ("worker.autoscaling.enabled=true", "worker.keda.enabled=true"): "would both set the number of workers",
    ("worker.keda.enabled=true",): "worker.keda needs managementUrl",
    ("ingest.spool.enabled=true", "ingest.spool.persistent=true", "ingest.autoscaling.enabled=true"): "do not go together",
    ("secrets.amqpUrl.value=amqp://rabbitmq", "worker.replicas=2"): "several workers need a database they share",
    ("mode=embedded", "secrets.amqpUrl.existingSecret=amqp"): "mode embedded has a queue of its own",
    ("ingress.enabled=true",): "ingress.enabled needs ingress.hosts",
    ("httpRoute.enabled=true",): "httpRoute.enabled needs httpRoute.parentRefs",
    ("ingest.terminationGracePeriodSeconds=30",): "has to be more than shutdownDelaySeconds and config.shutdown_grace together (30)",
    ("config.shutdown_grace=2m", "ingest.terminationGracePeriodSeconds=130"): "together (130)",
    ("config.listen=0.0.0.0:80",): "config.listen is set by the chart: use service.port",
    ("config.shutdown_delay=5s",): "config.shutdown_delay is set by the chart: use ingest.shutdownDelaySeconds",
    ("config.spool.dir=/spool",): "config.spool.dir is set by the chart",
    ("config.receivers.ops.webhook_url_file=/etc/larkfire/secrets/ops",): "say in secrets.files.ops where it comes from",
    ("config.receivers.ops.secret=abc",): "config.receivers.ops.secret: a ConfigMap is no place for a secret",
    ("config.receivers.ops.bots[0].webhook_url=https://x",): "config.receivers.ops.bots[0].webhook_url: a ConfigMap is no place",
    ("config.database.url=mysql://u:p@h/d",): "config.database.url: a ConfigMap is no place for a secret",
    ("config.owners.table.password=abc",): "config.owners.table.password: a ConfigMap is no place for a secret",
    ("secrets.files.ops.existingSecret=feishu",): "secrets.files.ops",
    ("mode=cluster",): "mode must be one of the following",
    ("worker.keda.minReplicas=0",): "greater than or equal to 1",
    ("worker.replica=2",): "Additional property replica is not allowed",
    ("image.digest=latest",): "image.digest: Does not match pattern",
    ("worker.keda.managementUrl=http://user:password@rabbitmq:15672",): "managementUrl: Does not match pattern",
}
# What looks like one of these and is none.
TAKEN: tuple[tuple[str, ...], ...] = (
    ("config.owners.services.secret=alice", "worker.replicas=1"),
    ("config.database.url=sqlite:/var/lib/larkfire/larkfire.db", "worker.replicas=1"),
    ("config.receivers.ops.secret=${OPS_SECRET}", "worker.replicas=1"),
    ("secrets.amqpUrl.value=amqp://rabbitmq", "worker.replicas=1"),
    ("existingConfigMap=mine", "secrets.amqpUrl.existingSecret=amqp"),
)


def settings(pairs: tuple[str, ...]) -> list[str]:
    return [argument for pair in pairs for argument in ("--set", pair)]


def problems_of_refusals() -> list[str]:
    """What contradicts itself is refused with a sentence, and nothing else is."""
    problems = []
    for pairs, words in REFUSALS.items():
        try:
            render(*settings(pairs))
            problems.append(f"{', '.join(pairs)}: rendered, and should be refused: {words}")
        except Refused as refused:
            if words not in str(refused):
                problems.append(f"{', '.join(pairs)}: refused with other words: {refused}")
    for pairs in TAKEN:
        try:
            render(*settings(pairs))
        except Refused as refused:
            problems.append(f"{', '.join(pairs)}: {refused}")
    return problems


def checksums(text: str, name: str) -> list[str | None]:
    return [pod.annotations.get(f"checksum/{name}") for pod in pods(read(text)) if not pod.runs_once]


def problems_of_checksums() -> list[str]:
    """A change that needs new pods makes some; nothing else does."""
    values = ("--values", str(CHART / "ci/small-values.yaml"))
    before = render(*values)
    changes = {"config": "config.timezone=UTC", "secret": "secrets.apiKeys.value=another"}
    problems = []
    for name, change in changes.items():
        after = render(*values, "--set", change)
        other = next(one for one in changes if one != name)
        if set(checksums(before, name)) & set(checksums(after, name)) or None in checksums(after, name):
            problems.append(f"checksum/{name} stays when {change}")
        if checksums(before, other) != checksums(after, other):
            problems.append(f"checksum/{other} changes when {change}")
    off = render(*values, "--set", "rollOnChange=false")
    if set(checksums(off, "config") + checksums(off, "secret")) != {None}:
        problems.append("rollOnChange=false leaves checksums")
    return problems


def problems_of_notes() -> list[str]:
    """The bare chart says what is missing, and the examples miss nothing."""
    wanted = ("secrets.amqpUrl", "secrets.apiKeys", "secrets.feishuWebhookUrl", "secrets.databaseUrl", "image.registry")
    bare = notes()
    problems = [f"NOTES do not say that {name} is missing" for name in wanted if name not in bare]
    for values in value_files():
        said = notes("--values", str(values))
        if "Still missing" in said and values.name != "small-values.yaml":
            problems.append(f"{values.name}: NOTES say that something is missing")
    return problems


def notes(*arguments: str) -> str:
    """Only an installation shows NOTES.txt; this is what it has in it."""
    shown = render(*arguments, "--set-string", 'extraObjects[0]=notes: {{ include "larkfire.notes" . | toJson }}')
    return next(found["notes"] for found in yaml.safe_load_all(shown) if found and "notes" in found)


def in_template(name: str) -> list:
    """The JSON list that a named template of the chart holds."""
    text = (CHART / "templates" / ("_secrets.tpl" if name == "secretVariables" else "_checks.tpl")).read_text()
    body = re.search(rf'define "larkfire.{name}" -}}}}\n(.*?)\n{{{{- end -}}}}', text, re.DOTALL)
    return json.loads(body.group(1))


def problems_of_lists() -> list[str]:
    """The chart's lists of secrets are those of docs/configuration.md; versions are those of the workspace."""
    documented = (ROOT / "docs/configuration.md").read_text()
    rows = re.findall(r"^\| `(\S+)`, `\S+_file` \|([^|]*)\|", documented, re.MULTILINE)
    variables = {re.findall(r"`(\w+)`", cell)[0] for _, cell in rows if "`" in cell}
    keys = {key.rpartition(".")[2] for key, _ in rows} - {"url"}
    problems = []
    ours = {entry["variable"] for entry in in_template("secretVariables")}
    if ours != variables:
        problems.append(f"_secrets.tpl and docs/configuration.md differ in {sorted(ours ^ variables)}")
    if set(in_template("secretKeys")) != keys:
        problems.append(f"_checks.tpl and docs/configuration.md differ in {sorted(set(in_template('secretKeys')) ^ keys)}")
    version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE).group(1)
    if yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] != version:
        problems.append(f"Chart.yaml: appVersion is not {version}, the version in Cargo.toml")
    return problems


def problems_of_schema() -> list[str]:
    """Every value is in the schema with what it may be, and nothing else may be set."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    problems = []

    def walk(values: Object, allowed: Object, path: str) -> None:
        allowed = schema["definitions"][allowed["$ref"].rpartition("/")[2]] if "$ref" in allowed else allowed
        if "properties" not in allowed:
            return
        if allowed.get("additionalProperties", True) is not False and path != ".global":
            problems.append(f"values.schema.json: {path} takes anything")
        for name in sorted(set(values) ^ set(allowed["properties"])):
            problems.append(f"{path}.{name} is in one of values.yaml and values.schema.json only")
        for name, value in values.items():
            if isinstance(value, dict) and name in allowed["properties"]:
                walk(value, allowed["properties"][name], f"{path}.{name}")

    walk(yaml.safe_load((CHART / "values.yaml").read_text()), schema, "")
    return problems


def problems_of_readme() -> list[str]:
    """helm/README.md is what the generator makes of values.yaml, which fails for a value without a word."""
    readme = CHART / "README.md"
    before = readme.read_text()
    generator = ROOT / ".tools/npm/node_modules/.bin/readme-generator"
    done = subprocess.run([generator, "-v", CHART / "values.yaml", "-r", readme], capture_output=True, text=True)
    after = readme.read_text()
    if done.returncode != 0:
        return [f"readme-generator: {done.stdout}{done.stderr}"]
    return [] if before == after else ["helm/README.md was not what values.yaml makes of it; it is now: look at the difference"]


CHECKS = (
    problems_of_refusals,
    problems_of_checksums,
    problems_of_notes,
    problems_of_lists,
    problems_of_schema,
    problems_of_readme,
)
