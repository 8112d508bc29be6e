"""Which pod may reach which: what the policies let through is what the parts need, and no more."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.containers import NAME, Manifest, every_size, needs_kustomize, of_kind, pods

Edges = dict[tuple[str, str], set[str]]
STORE, BLOCKS = {"8333", "8181"}, "7079-7095"
# From whom to whom, and at which ports.
NEEDED: dict[str, Edges] = {
    "small": {
        ("spark-connect", "store"): STORE,
        ("spark-connect", "trino"): {"8080"},
        ("trino", "store"): STORE,
    }
}
NEEDED["full"] = NEEDED["small"] | {
    ("spark-worker", "store"): STORE,
    ("trino-worker", "store"): STORE,
    ("capture", "store"): STORE,
    ("airflow-dags", "store"): STORE,
    ("airflow-triggerer", "store"): STORE,
    ("spark-connect", "spark-master"): {"7077"},
    # Its page, for the health of the worker.
    ("spark-worker", "spark-master"): {"7077", "8080"},
    ("spark-worker", "spark-connect"): {"7078", "7079"},
    ("spark-connect", "spark-worker"): {BLOCKS},
    ("spark-worker", "spark-worker"): {BLOCKS},
    ("trino-worker", "trino"): {"8080"},
    ("trino", "trino-worker"): {"8080"},
    ("capture", "postgres"): {"5432"},
    ("airflow-init", "postgres"): {"5432"},
    ("airflow-api", "postgres"): {"5432"},
    ("airflow-dags", "postgres"): {"5432"},
    ("airflow-triggerer", "postgres"): {"5432"},
    # The scheduler is beside Spark Connect.
    ("spark-connect", "postgres"): {"5432"},
    ("spark-connect", "airflow-api"): {"8085"},
    ("airflow-api", "spark-connect"): {"8793"},
    ("airflow-api", "airflow-triggerer"): {"8794"},
}


def policies(size: str) -> list[Manifest]:
    return of_kind(size, "NetworkPolicy")


def selected(size: str, selector: dict[str, Any]) -> set[str]:
    """The pods that a selector means."""
    assert set(selector) <= {"matchLabels"}
    wanted = selector.get("matchLabels", {})
    return {
        name
        for name, pod in pods(size).items()
        if wanted.items() <= pod["metadata"]["labels"].items()
    }


def rules(size: str, direction: str) -> Iterator[tuple[str, str, str]]:
    """What the policies of a direction allow: client, server and ports."""
    key, peers = (direction.lower(), {"Ingress": "from", "Egress": "to"}[direction])
    for policy in policies(size):
        for rule in policy["spec"].get(key, []):
            for peer in rule[peers]:
                if "namespaceSelector" in peer:
                    continue
                for own in selected(size, policy["spec"]["podSelector"]):
                    for other in selected(size, peer["podSelector"]):
                        for port in rule["ports"]:
                            ports = "-".join(str(port[n]) for n in ("port", "endPort") if n in port)
                            yield (own, other, ports) if key == "egress" else (other, own, ports)


@needs_kustomize
@every_size
def test_policies_let_through_what_is_needed_and_no_more(size: str) -> None:
    # A connection needs to be let out and to be let in.
    out, into = set(rules(size, "Egress")), set(rules(size, "Ingress"))
    assert out == into
    found: Edges = {}
    for client, server, port in out:
        found.setdefault((client, server), set()).add(port)
    assert found == NEEDED[size]


@needs_kustomize
@every_size
def test_all_else_is_denied_but_to_ask_for_names(size: str) -> None:
    (denial,) = (p["spec"] for p in policies(size) if p["metadata"]["name"] == "deny-all")
    assert denial == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    outside = [
        (peer, rule["ports"])
        for policy in policies(size)
        for rule in policy["spec"].get("egress", []) + policy["spec"].get("ingress", [])
        for peer in rule.get("to", []) + rule.get("from", [])
        if set(peer) != {"podSelector"}
    ]
    ((peer, ports),) = outside
    assert set(peer) == {"namespaceSelector", "podSelector"}
    assert {port["port"] for port in ports} == {53}


@needs_kustomize
@every_size
def test_every_selector_and_label_of_a_policy_means_a_pod(size: str) -> None:
    for policy in policies(size):
        assert selected(size, policy["spec"]["podSelector"]), policy["metadata"]["name"]
    used = {label for pod in pods(size).values() for label in pod["metadata"]["labels"]} - {NAME}
    assert {label for label in used if not label.startswith("uses-")} == set()
    for label in used:
        assert label in {p["metadata"]["name"] for p in policies(size)}


@needs_kustomize
@pytest.mark.parametrize("client", ["cdp", "airflow-scheduler"])
def test_nothing_reaches_spark_connect_but_from_its_own_pod(client: str) -> None:
    assert not [edge for edge in rules("full", "Ingress") if edge[2] == "15002"]
    own = pods("full")["spark-connect"]["spec"]["containers"]
    assert client in {container["name"] for container in own}
