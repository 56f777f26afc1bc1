"""Each check finds what it is for: a rendering of ours is broken in one place, and the sentence about it comes."""

from __future__ import annotations

import copy
import tempfile
import unittest
from pathlib import Path
from typing import Any, Callable

import yaml

import accepted
import assertions
import chart
import kustomize
import main
import schemas
from objects import Object, at, of_kind, read

Break = Callable[[list[Object]], Any]

EXAMPLES = {name: read(chart.render("--values", str(chart.CHART / f"ci/{name}-values.yaml"))) for name in ("everything", "keda", "small")}


def one(objects: list[Object], kind: str, end: str = "") -> Object:
    return next(found for found in of_kind(objects, kind) if found["metadata"]["name"].endswith(end))


def pod(objects: list[Object], role: str = "worker") -> Object:
    return next(found for found in of_kind(objects, "Deployment", "StatefulSet") if found["metadata"]["name"].endswith(role))["spec"]["template"]["spec"]


def first(objects: list[Object], role: str = "worker") -> Object:
    return pod(objects, role)["containers"][0]


def put(at_this: Object, **values: Any) -> None:
    at_this.update(values)


# In which example, what is broken, and the words of the sentence about it.
BROKEN: tuple[tuple[str, Break, str], ...] = (
    ("small", lambda all: put(one(all, "Service")["metadata"], name="Upper"), "no name of Kubernetes"),
    ("small", lambda all: all.append(copy.deepcopy(one(all, "Service"))), "there twice"),
    ("small", lambda all: put(one(all, "Service")["spec"]["selector"], extra="x"), "selects no pod"),
    ("everything", lambda all: put(one(all, "PodMonitor")["spec"]["selector"]["matchLabels"], extra="x"), "selects no pod"),
    ("small", lambda all: put(one(all, "Deployment")["spec"]["selector"]["matchLabels"], extra="x"), "lack labels of its selector"),
    ("small", lambda all: put(one(all, "Deployment", "worker")["spec"]["selector"], matchLabels={"app.kubernetes.io/name": "larkfire"}), "selects pods of others"),
    ("small", lambda all: put(pod(all)["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"], extra="x"), "spreads by labels"),
    ("small", lambda all: put(one(all, "Service")["spec"]["ports"][0], targetPort="web"), "has no port called web"),
    ("everything", lambda all: put(one(all, "PodMonitor")["spec"]["podMetricsEndpoints"][0], port="metrics"), "has no port called metrics"),
    ("small", lambda all: put(one(all, "NetworkPolicy", "worker")["spec"]["ingress"][0]["ports"][0], port="http"), "has no port called http"),
    ("small", lambda all: put(first(all)["livenessProbe"]["httpGet"], port="web"), "livenessProbe asks a port web"),
    ("keda", lambda all: put(one(all, "ScaledObject")["spec"]["scaleTargetRef"], name="other"), "there is no Deployment other"),
    ("keda", lambda all: all.remove(one(all, "TriggerAuthentication")), "there is no TriggerAuthentication"),
    ("everything", lambda all: put(one(all, "StatefulSet")["spec"], serviceName="other"), "there is no Service other"),
    ("everything", lambda all: put(at(one(all, "Ingress"), "spec", "rules", 0, "http", "paths", 0, "backend", "service", "port"), name="web"), "has no port {'name': 'web'}"),
    ("everything", lambda all: put(at(one(all, "HTTPRoute"), "spec", "rules", 0, "backendRefs", 0), port=81), "has no port {'number': 81}"),
    ("keda", lambda all: put(one(all, "Deployment", "worker")["spec"], replicas=2), "2 things set the number"),
    ("small", lambda all: one(all, "Deployment", "worker")["spec"].pop("replicas"), "0 things set the number"),
    ("keda", lambda all: put(one(all, "ScaledObject")["spec"], minReplicaCount=0), "nobody is told by none"),
    ("keda", lambda all: put(one(all, "HorizontalPodAutoscaler")["spec"], minReplicas=9), "from 9 to 6 pods"),
    ("keda", lambda all: put(one(all, "ScaledObject")["spec"], minReplicaCount=1), "keeps the only pod"),
    ("small", lambda all: first(all)["env"].append({"name": "RUST_LOG", "value": "info"}), "has the variable RUST_LOG twice"),
    ("small", lambda all: first(all)["volumeMounts"].append({"name": "data", "mountPath": "/tmp"}), "has the path /tmp twice"),
    ("small", lambda all: first(all)["ports"].append({"name": "admin", "containerPort": 1}), "has the port admin twice"),
    ("small", lambda all: first(all)["volumeMounts"].append({"name": "none", "mountPath": "/x"}), "mounts none, which is no volume"),
    ("small", lambda all: pod(all)["volumes"].append({"name": "x", "emptyDir": {}}), "mounts the volume x nowhere"),
    ("small", lambda all: pod(all)["volumes"].append({"name": "tmp", "emptyDir": {}}), "has the volume tmp twice"),
    ("small", lambda all: all.remove(one(all, "ConfigMap")), "there is no ConfigMap rel-larkfire"),
    ("small", lambda all: all.remove(one(all, "Secret")), "there is no Secret rel-larkfire"),
    ("small", lambda all: all.remove(one(all, "ServiceAccount")), "there is no ServiceAccount rel-larkfire"),
    ("small", lambda all: one(all, "Secret")["data"].pop("amqp-url"), "has no key amqp-url"),
    ("small", lambda all: put(first(all)["volumeMounts"][0], subPath="larkfire.yaml"), "is mounted by subPath"),
    ("small", lambda all: first(all)["env"].append({"name": "A", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}), "A is fixed when the pod starts"),
    ("small", lambda all: first(all)["env"].append({"name": "A", "value": "dummy-secret"}), "shows what a Secret holds"),
    ("small", lambda all: put(one(all, "ConfigMap")["data"], extra="url: amqp://me:secret@host"), "has an address with a password"),
    ("small", lambda all: put(pod(all), terminationGracePeriodSeconds=20), "is killed while it may still stop"),
    ("everything", lambda all: put(pod(all, "ingest"), terminationGracePeriodSeconds=80), "is killed while it may still stop"),
    ("small", lambda all: pod(all).pop("automountServiceAccountToken"), "has a token of the API server"),
    ("small", lambda all: pod(all).pop("enableServiceLinks"), "has addresses of Services"),
    ("small", lambda all: pod(all)["securityContext"].pop("runAsNonRoot"), "may run as root"),
    ("small", lambda all: pod(all)["securityContext"].pop("seccompProfile"), "has no seccomp profile"),
    ("small", lambda all: put(pod(all), hostNetwork=True), "uses the network or the processes of its node"),
    ("small", lambda all: first(all)["securityContext"].pop("readOnlyRootFilesystem"), "may write to its image"),
    ("small", lambda all: first(all)["securityContext"].pop("allowPrivilegeEscalation"), "may gain rights"),
    ("small", lambda all: first(all)["securityContext"].pop("capabilities"), "has capabilities"),
    ("small", lambda all: first(all)["resources"].pop("limits"), "has no memory limit"),
    ("small", lambda all: put(first(all)["resources"]["limits"], cpu=1), "has a CPU limit"),
    ("small", lambda all: put(first(all)["livenessProbe"]["httpGet"], path="/readyz"), "livenessProbe does not ask /healthz"),
    ("small", lambda all: put(first(all)["ports"][0], containerPort=9096), "the port admin is not where the program listens"),
    ("small", lambda all: one(all, "Service")["metadata"].pop("labels"), "has no label app.kubernetes.io/name"),
    ("everything", lambda all: put(one(all, "PodMonitor")["spec"], jobLabel="team"), "asks for the job alerts.*, and pods have sre"),
)  # fmt: skip

# The same for what Kubernetes, or the operators' own fields, say.
INVALID: tuple[tuple[str, Break, str], ...] = (
    ("small", lambda all: put(first(all), command="larkfire"), "Kubernetes 1.29: "),
    ("small", lambda all: put(pod(all), unknownField=1), "Kubernetes 1.37: "),
    ("small", lambda all: put(one(all, "Service"), kind="Sevice"), "Kubernetes 1.31: "),
    ("keda", lambda all: put(one(all, "HorizontalPodAutoscaler"), apiVersion="autoscaling/v2beta2"), "Kubernetes 1.34: "),
    ("keda", lambda all: put(one(all, "ScaledObject")["spec"]["fallback"], replica=1), "spec.fallback.replica is no field"),
    ("keda", lambda all: put(one(all, "ScaledObject"), kind="ScaledJob"), "a custom resource that nobody knows"),
    ("everything", lambda all: put(one(all, "PodMonitor")["spec"]["podMetricsEndpoints"][0], intervall="30s"), "intervall is no field"),
)  # fmt: skip


class Checks(unittest.TestCase):
    def said_of(self, broken: tuple[tuple[str, Break, str], ...], problems_of: Callable[[list[Object]], list[str]]) -> None:
        for example, change, words in broken:
            with self.subTest(words=words, example=example):
                objects = copy.deepcopy(EXAMPLES[example])
                change(objects)
                self.assertTrue(any(words in problem for problem in problems_of(objects)), problems_of(objects))

    def test_a_rendering_that_is_broken_is_found(self) -> None:
        self.said_of(BROKEN, assertions.problems_of)

    def test_no_assertion_is_left_out(self) -> None:
        for assertion in assertions.ALL:
            finds = [words for example, change, words in BROKEN if self.finds(assertion, example, change, words)]
            self.assertTrue(finds, f"nothing shows that {assertion.__name__} finds anything")

    @staticmethod
    def finds(assertion: assertions.Assertion, example: str, change: Break, words: str) -> bool:
        objects = copy.deepcopy(EXAMPLES[example])
        change(objects)
        return any(words in problem for problem in assertion(objects))

    def test_what_kubernetes_would_refuse_is_found(self) -> None:
        def problems_of(objects: list[Object]) -> list[str]:
            return schemas.problems_of([found for found in objects if found["kind"] not in ("ConfigMap", "NetworkPolicy", "PrometheusRule")])

        self.said_of(INVALID, problems_of)

    def test_a_key_that_is_there_twice_is_found(self) -> None:
        with self.assertRaisesRegex(Exception, "twice in one mapping, line 1: .'a'"):
            read("a: 1\nb: 2\na: 3\n")

    def test_checkov_looks_at_what_it_is_given(self) -> None:
        # Beside the renderings, so that it is below the same hidden folder.
        with tempfile.TemporaryDirectory(dir=main.TOOLS) as folder:
            open_pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "open"}, "spec": {"containers": [{"name": "a", "image": "a"}]}}
            Path(folder, "open.yaml").write_text(yaml.safe_dump(open_pod))
            Path(folder, "empty.yaml").write_text("")
            said = main.checkov(Path(folder))
        self.assertTrue(any("CKV_K8S_38" in problem for problem in said), said)
        self.assertIn("checkov did not look at empty.yaml", said)

    def test_a_program_that_fails_is_said(self) -> None:
        self.assertEqual(main.run("true"), [])
        self.assertEqual(main.run("sh", "-c", "echo odd; exit 3"), ["sh: odd"])

    def test_an_overlay_that_does_not_build_is_found(self) -> None:
        with self.assertRaises(chart.Refused):
            kustomize.build(Path(kustomize.FOLDER / "nowhere"))

    def test_a_configuration_that_a_program_refuses_is_said(self) -> None:
        said = '{"valid": false, "problems": [{"place": "a.yaml:1", "message": "unknown key"}], "warnings": ["odd", "meant"]}'
        self.assertEqual(accepted.problems_in(said, ("meant",)), ["a.yaml:1: unknown key", "odd"])
        self.assertEqual(accepted.problems_in('{"valid": true, "problems": [], "warnings": ["meant"]}', ("meant",)), [])


if __name__ == "__main__":
    unittest.main()
