"""What has to hold in every rendering of ours and no schema says. Each function returns sentences about what does not hold."""

from __future__ import annotations

import re
from typing import Callable

from objects import AUTOSCALERS, WORKLOADS, Object, at, is_there, named, of_kind, pods, read, selected, selector_of
import yaml

Assertion = Callable[[list[Object]], list[str]]

ADMIN_PORT, HTTP_PORT = 9095, 8080
# The default of shutdown_grace, and its units, as in docs/configuration.md.
GRACE_SECONDS = 20
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
# As Kubernetes allows, less what it appends to the names of a StatefulSet's pods and of revisions.
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# user:password@ in an address.
CREDENTIALS = re.compile(r"[a-z]+://[^/\s:@\"']+:[^/\s@\"'$]+@")
# Values of variables are secrets where a file could hold them; the fields below hold none.
SHORTEST_SECRET = 8


def names_are_names_and_nobodys_else(objects: list[Object]) -> list[str]:
    found = [f"{named(one)}: no name of Kubernetes" for one in objects if not NAME.fullmatch(one["metadata"]["name"])]
    keys = [(one["apiVersion"], named(one), one["metadata"].get("namespace")) for one in objects]
    return found + [f"{key[1]}: there twice" for key in dict.fromkeys(keys) if keys.count(key) > 1]


def selectors_select_pods(objects: list[Object]) -> list[str]:
    problems = []
    for found in objects:
        selector = selector_of(found)
        if selector is not None and not selected(objects, selector):
            problems.append(f"{named(found)}: selects no pod")
    for workload in of_kind(objects, *WORKLOADS):
        labels = workload["spec"]["template"]["metadata"].get("labels", {})
        wanted = workload["spec"]["selector"].get("matchLabels", {})
        if not wanted.items() <= labels.items():
            problems.append(f"{named(workload)}: its pods lack labels of its selector")
        if len(selected(objects, workload["spec"]["selector"])) > 1:
            problems.append(f"{named(workload)}: selects pods of others, too")
        for spread in at(workload, "spec", "template", "spec", "topologySpreadConstraints") or []:
            if not at(spread, "labelSelector", "matchLabels").items() <= labels.items():
                problems.append(f"{named(workload)}: spreads by labels that its pods lack")
    return problems


def named_ports_exist(objects: list[Object]) -> list[str]:
    problems = []

    def wants(who: str, port: object, selector: Object) -> None:
        for pod in selected(objects, selector):
            if isinstance(port, str) and port not in pod.port_names:
                problems.append(f"{who}: {pod.owner} has no port called {port}")

    for service in of_kind(objects, "Service"):
        for port in service["spec"]["ports"]:
            wants(named(service), port.get("targetPort"), selector_of(service))
    for monitor in of_kind(objects, "PodMonitor"):
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            wants(named(monitor), endpoint["port"], selector_of(monitor))
    for policy in of_kind(objects, "NetworkPolicy"):
        for rule in policy["spec"].get("ingress", []):
            for port in rule.get("ports", []):
                wants(named(policy), port["port"], selector_of(policy))
    for pod in pods(objects):
        for container in pod.containers:
            own = {port["name"] for port in container.get("ports", [])}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                port = at(container, probe, "httpGet", "port")
                if isinstance(port, str) and port not in own:
                    problems.append(f"{pod.owner}: {probe} asks a port {port} that {container['name']} has not")
    return problems


def what_is_pointed_at_is_rendered(objects: list[Object]) -> list[str]:
    problems = []

    def wants(who: Object, kind: str, name: str) -> None:
        if not is_there(objects, kind, name):
            problems.append(f"{named(who)}: there is no {kind} {name}")

    def wants_port(who: Object, service: str, port: Object) -> None:
        wants(who, "Service", service)
        for found in of_kind(objects, "Service"):
            ports = found["spec"]["ports"]
            is_open = any(port.get("name") == one["name"] or port.get("number") == one["port"] for one in ports)
            if found["metadata"]["name"] == service and not is_open:
                problems.append(f"{named(who)}: Service {service} has no port {port}")

    for scaler in of_kind(objects, *AUTOSCALERS):
        target = scaler["spec"]["scaleTargetRef"]
        wants(scaler, target["kind"], target["name"])
        for trigger in scaler["spec"].get("triggers", []):
            wants(scaler, "TriggerAuthentication", trigger["authenticationRef"]["name"])
    for workload in of_kind(objects, "StatefulSet"):
        wants(workload, "Service", workload["spec"]["serviceName"])
    for ingress in of_kind(objects, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                wants_port(ingress, service["name"], service["port"])
    for route in of_kind(objects, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                wants_port(route, backend["name"], {"number": backend["port"]})
    return problems


def replicas_have_one_owner(objects: list[Object]) -> list[str]:
    problems = []
    scaled = [at(scaler, "spec", "scaleTargetRef", "name") for scaler in of_kind(objects, *AUTOSCALERS)]
    for workload in of_kind(objects, *WORKLOADS):
        owners = scaled.count(workload["metadata"]["name"]) + ("replicas" in workload["spec"])
        if owners != 1:
            problems.append(f"{named(workload)}: {owners} things set the number of its pods")
    for scaler in of_kind(objects, *AUTOSCALERS):
        spec = scaler["spec"]
        fewest, most = spec.get("minReplicas", spec.get("minReplicaCount")), spec.get("maxReplicas", spec.get("maxReplicaCount"))
        if not 1 <= fewest <= most:
            problems.append(f"{named(scaler)}: from {fewest} to {most} pods; nobody is told by none")
    return problems


def budgets_let_nodes_be_drained(objects: list[Object]) -> list[str]:
    problems = []
    scalers = {at(scaler, "spec", "scaleTargetRef", "name"): scaler["spec"] for scaler in of_kind(objects, *AUTOSCALERS)}
    for budget in of_kind(objects, "PodDisruptionBudget"):
        for workload in of_kind(objects, *WORKLOADS):
            name = workload["metadata"]["name"]
            spec = scalers.get(name, {})
            fewest = spec.get("minReplicas") or spec.get("minReplicaCount") or workload["spec"].get("replicas", 1)
            if selector_of(budget) == selector_of(workload) and fewest < 2:
                problems.append(f"{named(budget)}: keeps the only pod of {named(workload)} on its node")
    return problems


def nothing_is_set_twice_or_mounted_from_nowhere(objects: list[Object]) -> list[str]:
    problems = []
    for pod in pods(objects):
        volumes = [volume["name"] for volume in pod.spec.get("volumes", [])] + list(pod.claims)
        mounted = set()
        for container in pod.containers:
            mounts = container.get("volumeMounts", [])
            mounted |= {mount["name"] for mount in mounts}
            lists = {
                "variable": [variable["name"] for variable in container.get("env", [])],
                "path": [mount["mountPath"] for mount in mounts],
                "port": [port["name"] for port in container.get("ports", [])],
            }
            for what, all_of_it in lists.items():
                twice = sorted({one for one in all_of_it if all_of_it.count(one) > 1})
                problems += [f"{pod.owner}: {container['name']} has the {what} {one} twice" for one in twice]
        problems += [f"{pod.owner}: mounts {name}, which is no volume" for name in sorted(mounted - set(volumes))]
        problems += [f"{pod.owner}: mounts the volume {name} nowhere" for name in sorted(set(volumes) - mounted)]
        problems += [f"{pod.owner}: has the volume {name} twice" for name in sorted(set(volumes)) if volumes.count(name) > 1]
    return problems


def what_pods_name_is_rendered_or_somebody_elses(objects: list[Object]) -> list[str]:
    """A name that begins as ours do is one that we make; but a Secret may be called so by whoever made it."""
    problems = []
    ours = min((found["metadata"]["name"] for found in of_kind(objects, "Service")), key=len, default=None)
    for pod in pods(objects):
        wanted = [("ServiceAccount", pod.spec.get("serviceAccountName", ""))]
        for volume in pod.spec.get("volumes", []):
            wanted.append(("ConfigMap", at(volume, "configMap", "name") or ""))
            wanted.append(("PersistentVolumeClaim", at(volume, "persistentVolumeClaim", "claimName") or ""))
            sources = at(volume, "projected", "sources") or []
            wanted += [("Secret", at(source, "secret", "name") or "") for source in sources]
        for kind, name in wanted:
            is_ours = ours is not None and (name == ours or name.startswith(f"{ours}-") and kind != "Secret")
            if is_ours and not is_there(objects, kind, name):
                problems.append(f"{pod.owner}: there is no {kind} {name}")
        for secret in of_kind(objects, "Secret"):
            sources = [at(source, "secret") for volume in pod.spec.get("volumes", []) for source in at(volume, "projected", "sources") or []]
            for source in sources:
                if source and source["name"] == secret["metadata"]["name"]:
                    lacking = {item["key"] for item in source["items"]} - set(secret.get("data", {}))
                    problems += [f"{pod.owner}: {named(secret)} has no key {key}" for key in sorted(lacking)]
    return problems


def files_change_in_running_pods(objects: list[Object]) -> list[str]:
    """A file mounted by `subPath` stays as it was when the pod started, and a variable from a Secret as well."""
    problems = []
    for pod in pods(objects):
        for container in pod.containers:
            for mount in container.get("volumeMounts", []):
                if "subPath" in mount or "subPathExpr" in mount:
                    problems.append(f"{pod.owner}: {mount['mountPath']} is mounted by subPath and never changes")
            for variable in container.get("env", []):
                if "valueFrom" in variable:
                    problems.append(f"{pod.owner}: {variable['name']} is fixed when the pod starts; mount a file")
    return problems


def secrets_stand_in_secrets_only(objects: list[Object]) -> list[str]:
    problems = []
    values = set()
    for secret in of_kind(objects, "Secret"):
        values |= {read_base64(value) for value in secret.get("data", {}).values()}
        values |= set(secret.get("stringData", {}).values())
    for found in objects:
        if found["kind"] == "Secret":
            continue
        text = yaml.safe_dump(found, width=10**6)
        if any(len(value) >= SHORTEST_SECRET and value in text for value in values if not value.startswith("http://")):
            problems.append(f"{named(found)}: shows what a Secret holds")
        if CREDENTIALS.search(text):
            problems.append(f"{named(found)}: has an address with a password")
    return problems


def read_base64(value: str) -> str:
    from base64 import b64decode

    return b64decode(value).decode()


def seconds(time: str) -> float:
    number, unit = re.fullmatch(r"(\d+)\s*([a-z]+)", time).groups()
    return int(number) * UNITS[unit]


def pods_have_time_to_stop(objects: list[Object]) -> list[str]:
    grace = GRACE_SECONDS
    for found in of_kind(objects, "ConfigMap"):
        config = read(at(found, "data", "larkfire.yaml") or "")
        grace = max([grace, *(seconds(one["shutdown_grace"]) for one in config if "shutdown_grace" in one)])
    problems = []
    for pod in pods(objects):
        if pod.runs_once:
            continue
        delays = [one["value"] for container in pod.containers for one in container.get("env", ()) if one["name"] == "LARKFIRE_SHUTDOWN_DELAY"]
        before = max([0, *map(seconds, delays)])
        if pod.spec["terminationGracePeriodSeconds"] <= before + grace:
            problems.append(f"{pod.owner}: is killed while it may still stop by itself")
    return problems


def pods_are_locked_down(objects: list[Object]) -> list[str]:
    problems = []
    for pod in pods(objects):
        context = pod.spec.get("securityContext", {})
        wanted = {
            "has a token of the API server": pod.spec.get("automountServiceAccountToken") is not False,
            "has addresses of Services in its environment": pod.spec.get("enableServiceLinks") is not False,
            "may run as root": context.get("runAsNonRoot") is not True or not context.get("runAsUser"),
            "has no seccomp profile": at(context, "seccompProfile", "type") != "RuntimeDefault",
            "uses the network or the processes of its node": any(pod.spec.get(f"host{what}") for what in ("Network", "PID", "IPC")),
        }
        for container in pod.containers:
            own = container.get("securityContext", {})
            limits = at(container, "resources", "limits") or {}
            wanted |= {
                f"{container['name']} may write to its image": own.get("readOnlyRootFilesystem") is not True,
                f"{container['name']} may gain rights": own.get("allowPrivilegeEscalation") is not False,
                f"{container['name']} has capabilities": at(own, "capabilities", "drop") != ["ALL"],
                f"{container['name']} has no memory limit": "memory" not in limits,
                f"{container['name']} has a CPU limit, and answers late when it is reached": "cpu" in limits,
            }
        problems += [f"{pod.owner}: {what}" for what, is_so in wanted.items() if is_so]
    return problems


def probes_ask_what_answers(objects: list[Object]) -> list[str]:
    """Alive must not depend on the broker: else all processes restart while it is away."""
    problems = []
    for pod in pods(objects):
        main = pod.spec["containers"][0]
        if pod.runs_once:
            continue
        wanted = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
        for probe, path in wanted.items():
            if at(main, probe, "httpGet", "path") != path:
                problems.append(f"{pod.owner}: {probe} does not ask {path}")
        ports = {port["name"]: port["containerPort"] for port in main["ports"]}
        variables = {variable["name"]: variable.get("value") for variable in main["env"]}
        listens = {"admin": ("LARKFIRE_ADMIN_LISTEN", ADMIN_PORT), "http": ("LARKFIRE_LISTEN", HTTP_PORT)}
        for name, number in ports.items():
            variable, expected = listens[name]
            if number != expected or variables.get(variable) != f"0.0.0.0:{number}":
                problems.append(f"{pod.owner}: the port {name} is not where the program listens")
    return problems


def objects_say_whose_they_are(objects: list[Object]) -> list[str]:
    wanted = ("app.kubernetes.io/name", "app.kubernetes.io/instance")
    return [f"{named(one)}: has no label {label}" for one in objects for label in wanted if label not in one["metadata"].get("labels", {})]


def alerts_ask_for_the_job_of_the_pods(objects: list[Object]) -> list[str]:
    """The job is the value of a label that the PodMonitor names; the alerts are written for one."""
    problems = []
    for monitor in of_kind(objects, "PodMonitor"):
        jobs = {pod.labels.get(monitor["spec"]["jobLabel"], "") for pod in selected(objects, monitor["spec"]["selector"])}
        for rules in of_kind(objects, "PrometheusRule"):
            expressions = [rule["expr"] for group in rules["spec"]["groups"] for rule in group["rules"]]
            asked = [found for expression in expressions for found in re.findall(r'job=~"([^"]+)"', expression)]
            if not asked:
                problems.append(f"{named(rules)}: no alert asks for a job, so nothing shows that a process is away")
            problems += [
                f"{named(rules)}: asks for the job {pattern}, and pods have {', '.join(sorted(jobs))}"
                for pattern in asked
                if not all(re.fullmatch(pattern, job) for job in jobs)
            ]
    return problems


ALL: tuple[Assertion, ...] = (
    names_are_names_and_nobodys_else,
    selectors_select_pods,
    named_ports_exist,
    what_is_pointed_at_is_rendered,
    replicas_have_one_owner,
    budgets_let_nodes_be_drained,
    nothing_is_set_twice_or_mounted_from_nowhere,
    what_pods_name_is_rendered_or_somebody_elses,
    files_change_in_running_pods,
    secrets_stand_in_secrets_only,
    pods_have_time_to_stop,
    pods_are_locked_down,
    probes_ask_what_answers,
    objects_say_whose_they_are,
    alerts_ask_for_the_job_of_the_pods,
)


def problems_of(objects: list[Object]) -> list[str]:
    return [problem for assertion in ALL for problem in assertion(objects)]
