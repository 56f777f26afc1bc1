"""What Kubernetes itself would say: every object against the published schemas of several versions, strictly."""

from __future__ import annotations

import kubernetes_validate

from objects import Object, named

# The oldest that Chart.yaml names, what most run, and the newest there is a schema of.
VERSIONS = ("1.29", "1.31", "1.34", "1.37")
# Custom resources are not Kubernetes' own: crds.mjs and FIELDS look at them.
CUSTOM = ("keda.sh/", "monitoring.coreos.com/", "gateway.networking.k8s.io/")

# The schemas of custom resources let unknown fields pass, so a misspelt one would do nothing. These are the fields that we set.
FIELDS = {
    "ScaledObject": {
        "spec": {"scaleTargetRef", "pollingInterval", "minReplicaCount", "maxReplicaCount", "fallback", "advanced", "triggers"},
        "spec.fallback": {"failureThreshold", "replicas", "behavior"},
        "spec.advanced": {"horizontalPodAutoscalerConfig"},
        "spec.triggers[]": {"type", "metadata", "authenticationRef"},
        "spec.triggers[].metadata": {
            "protocol", "useRegex", "queueName", "operation", "vhostName", "mode", "value", "excludeUnacknowledged",
        },
    },
    "TriggerAuthentication": {"spec": {"secretTargetRef"}, "spec.secretTargetRef[]": {"parameter", "name", "key"}},
    "PodMonitor": {
        "spec": {"jobLabel", "selector", "podMetricsEndpoints"},
        "spec.podMetricsEndpoints[]": {"port", "path", "interval", "scrapeTimeout", "relabelings", "metricRelabelings"},
    },
    "PrometheusRule": {
        "spec": {"groups"},
        "spec.groups[]": {"name", "rules"},
        "spec.groups[].rules[]": {"alert", "expr", "for", "labels", "annotations"},
    },
    "HTTPRoute": {
        "spec": {"parentRefs", "hostnames", "rules"},
        "spec.rules[]": {"matches", "backendRefs"},
        "spec.rules[].backendRefs[]": {"name", "port"},
    },
}  # fmt: skip


def is_custom(found: Object) -> bool:
    return found["apiVersion"].startswith(CUSTOM)


def problems_of(objects: list[Object]) -> list[str]:
    problems = []
    for found in objects:
        if is_custom(found):
            problems += unknown_fields(found)
            continue
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(found, version, strict=True)
            # Whatever it is, an unknown kind as well: on the command line that one is a warning.
            except Exception as error:  # noqa: BLE001
                said = getattr(error, "message", None) or str(error) or type(error).__name__
                problems.append(f"{named(found)}: Kubernetes {version}: {said.splitlines()[0]}")
    return problems


def unknown_fields(found: Object) -> list[str]:
    known = FIELDS.get(found["kind"])
    if known is None:
        return [f"{named(found)}: a custom resource that nobody knows"]
    problems = []

    def walk(value: object, path: str) -> None:
        if isinstance(value, list):
            for one in value:
                walk(one, f"{path}[]")
        elif isinstance(value, dict):
            if path in known:
                problems.extend(f"{named(found)}: {path}.{key} is no field" for key in sorted(set(value) - known[path]))
            for key, one in value.items():
                walk(one, f"{path}.{key}")

    walk(found.get("spec", {}), "spec")
    return problems
