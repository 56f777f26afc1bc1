"""Kubernetes objects as lists of dictionaries: reading them, and finding in them what the checks ask about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterator

import yaml

Object = dict[str, Any]

WORKLOADS = ("Deployment", "StatefulSet")
AUTOSCALERS = ("HorizontalPodAutoscaler", "ScaledObject")


class OneOfEach(yaml.SafeLoader):
    """YAML in which a key that is there twice is an error; PyYAML would take the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"twice in one mapping, line {node.start_mark.line + 1}: {sorted(map(str, twice))}")
        return super().construct_mapping(node, deep)


def read(text: str) -> list[Object]:
    return [found for found in yaml.load_all(text, OneOfEach) if found]


def named(found: Object) -> str:
    return f"{found['kind']} {found['metadata']['name']}"


def of_kind(objects: list[Object], *kinds: str) -> Iterator[Object]:
    return (found for found in objects if found["kind"] in kinds)


def is_there(objects: list[Object], kind: str, name: str) -> bool:
    return any(found["metadata"]["name"] == name for found in of_kind(objects, kind))


def at(found: Any, *path: str | int) -> Any:
    """What stands at this path; None where the path ends early."""
    for step in path:
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and isinstance(step, int) and step < len(found):
            found = found[step]
        else:
            return None
    return found


@dataclass(frozen=True)
class Pod:
    """A pod, or what a workload makes pods of."""

    owner: str
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: Object
    claims: tuple[str, ...]
    runs_once: bool

    @property
    def containers(self) -> list[Object]:
        return [*self.spec["containers"], *self.spec.get("initContainers", [])]

    @property
    def port_names(self) -> set[str]:
        return {port["name"] for container in self.spec["containers"] for port in container.get("ports", [])}


def pods(objects: list[Object]) -> list[Pod]:
    found = []
    for workload in of_kind(objects, *WORKLOADS):
        template = workload["spec"]["template"]
        claims = tuple(claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", []))
        found.append(
            Pod(
                owner=named(workload),
                labels=template["metadata"].get("labels", {}),
                annotations=template["metadata"].get("annotations", {}),
                spec=template["spec"],
                claims=claims,
                runs_once=False,
            )
        )
    for pod in of_kind(objects, "Pod"):
        metadata = pod["metadata"]
        found.append(
            Pod(named(pod), metadata.get("labels", {}), metadata.get("annotations", {}), pod["spec"], (), runs_once=True)
        )
    return found


def matches(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a selector of the form `matchLabels`, `matchExpressions` (`In` is the only one we use) takes these labels."""
    for expression in selector.get("matchExpressions", []):
        if expression["operator"] != "In":
            raise ValueError(f"an operator that the checks do not know: {expression['operator']}")
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


def selector_of(found: Object) -> Object | None:
    """Which pods the object is about, in the long form; None where it selects none."""
    spec = found.get("spec", {})
    match found["kind"]:
        case "Service":
            return {"matchLabels": spec["selector"]} if "selector" in spec else None
        case "NetworkPolicy":
            return spec["podSelector"]
        case "PodDisruptionBudget" | "PodMonitor" | "Deployment" | "StatefulSet":
            return spec["selector"]
    return None


def selected(objects: list[Object], selector: Object) -> list[Pod]:
    return [pod for pod in pods(objects) if matches(selector, pod.labels)]
