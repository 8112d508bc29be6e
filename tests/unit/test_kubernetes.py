"""docker/kubernetes/ as kustomize renders it, against Kubernetes' schemas, itself and compose."""

import itertools
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from cdp.settings import ROOT
from tests.support.containers import (
    AIRFLOW,
    DOCKER,
    LAKEHOUSE,
    SERVICES,
    SIZES,
    environment,
    every_size,
    known_variables,
    needs_kustomize,
    of_kind,
    pods,
    rendered,
)

KUBERNETES = DOCKER / "kubernetes"
# The oldest that has what is used without a gate, and the newest that there are schemas of.
VERSIONS = ("1.33", kubernetes_validate.latest_version())
# What cannot hang, and why nothing would be gained by a restart: see their comments.
WITHOUT_LIVENESS = {"cdp", "capture"}
SECRET = re.compile("SECRET|TOKEN|KEY|PASSWORD|CONN(_|$)")


@pytest.fixture(scope="module", autouse=True)
def schemas_read_once() -> Iterator[None]:
    """A megabyte that is read for each object otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        read = kubernetes_validate.utils.schema_contents
        patch.setattr(kubernetes_validate.utils, "schema_contents", cache(read))
        yield


# Files.


def kustomizations() -> list[Path]:
    folders = (DOCKER, ROOT / "cdp", ROOT / "spark_conf")
    return [path for folder in folders for path in folder.rglob("kustomization.yaml")]


def named(path: Path) -> Iterator[Path]:
    """The files and folders that a kustomization names."""
    content = yaml.safe_load(path.read_text())
    for entry in [*content.get("resources", []), *content.get("components", [])]:
        yield path.parent / entry
    for patch in content.get("patches", []):
        yield path.parent / patch["path"]
    for generator in content.get("configMapGenerator", []):
        for entry in [*generator.get("files", []), *generator.get("envs", [])]:
            yield path.parent / entry.split("=")[-1]


def test_what_kustomizations_name_exists_and_every_manifest_is_reached() -> None:
    reached = {p.resolve() for each in kustomizations() for p in named(each)}
    assert all(path.exists() for path in reached)
    assert {p for p in KUBERNETES.rglob("*.yaml") if p.name != "kustomization.yaml"} <= reached
    overlays = {KUBERNETES / "overlays" / size for size in SIZES}
    assert {p.parent for p in kustomizations()} - reached == overlays


def test_configuration_is_that_of_compose_and_the_local_stack() -> None:
    """kustomize reads files below its own folder only, so it has one in each folder."""
    files = {p.resolve().relative_to(ROOT) for each in kustomizations() for p in named(each)}
    trino = {p.relative_to(ROOT) for p in (DOCKER / "trino").rglob("*.*") if p.suffix != ".yaml"}
    mounted = {
        (DOCKER / volume["source"]).resolve()
        for volume in SERVICES["postgres"]["volumes"]
        if isinstance(volume, dict)
    }
    postgres = {p.relative_to(ROOT) for m in mounted for p in ([m] if m.is_file() else m.iterdir())}
    spark = {Path("spark_conf") / name for name in ("base.conf", "cluster.conf")}
    told = {Path("docker") / p for s in SERVICES.values() for p in s["env_file"]}
    assert trino | {p for p in postgres if p.suffix != ".yaml"} | spark | told <= files


def manifests() -> list[Path]:
    """The files that are whole; a patch is validated with what it changes."""
    patches = {
        (each.parent / patch["path"]).resolve()
        for each in kustomizations()
        for patch in yaml.safe_load(each.read_text()).get("patches", [])
    }
    files = [p for p in KUBERNETES.rglob("*.yaml") if p.name != "kustomization.yaml"]
    return sorted(set(files) - patches)


@pytest.mark.parametrize("path", manifests(), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_manifest_holds_no_field_that_kubernetes_does_not_know(path: Path) -> None:
    for manifest, version in itertools.product(yaml.safe_load_all(path.read_text()), VERSIONS):
        kubernetes_validate.validate(manifest, version, strict=True)


# Objects.


@needs_kustomize
@every_size
def test_what_is_rendered_is_valid_by_the_schemas(size: str) -> None:
    for manifest, version in itertools.product(rendered(size), VERSIONS):
        kubernetes_validate.validate(manifest, version, strict=True)


def containers(size: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Each container with its pod's spec, by a name of both."""
    found: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for name, pod in pods(size).items():
        spec = pod["spec"]
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            found[f"{name}/{container['name']}"] = container, spec
    return found


@needs_kustomize
@every_size
def test_pods_are_without_privileges(size: str) -> None:
    for name, pod in pods(size).items():
        spec = pod["spec"]
        context = spec["securityContext"]
        assert context["runAsNonRoot"] is True, name
        assert context["runAsUser"] > 0, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
    for name, (container, _) in containers(size).items():
        assert container["securityContext"] == {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }, name
    (namespace,) = of_kind(size, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@needs_kustomize
@every_size
def test_containers_are_bounded(size: str) -> None:
    for name, (container, spec) in containers(size).items():
        for kind in ("requests", "limits"):
            assert set(container["resources"][kind]) == {"cpu", "memory"}, name
        for volume in spec["volumes"]:
            assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"], volume


@needs_kustomize
@every_size
def test_what_runs_on_is_asked_how_it_is(size: str) -> None:
    for name, (container, spec) in containers(size).items():
        once = container in spec.get("initContainers", []) and "restartPolicy" not in container
        if once or name.startswith("airflow-init/"):
            continue
        assert "readinessProbe" in container, name
        if container["name"] not in WITHOUT_LIVENESS:
            assert {"startupProbe", "livenessProbe"} <= set(container), name


@needs_kustomize
@every_size
def test_secrets_are_files_of_one_secret_each_pod_with_its_own(size: str) -> None:
    assert not of_kind(size, "Secret")
    for name, (container, spec) in containers(size).items():
        for variable in container.get("env", []):
            assert "secretKeyRef" not in str(variable), name
            if SECRET.search(variable["name"]):
                assert variable["value"].startswith("/run/secrets/"), variable
        mounted = {m["name"] for m in container["volumeMounts"] if m["mountPath"] == "/run/secrets"}
        given = [v["secret"] for v in spec["volumes"] if v["name"] in mounted]
        keys = {item["key"] for secret in given for item in secret["items"]}
        assert {secret["secretName"] for secret in given} <= {"lakehouse"}
        if (service := SERVICES.get(container["name"])) and container["name"] != "airflow-init":
            assert keys == set(service.get("secrets", [])), name


@needs_kustomize
@every_size
def test_containers_run_what_compose_runs(size: str) -> None:
    for name, (container, _) in containers(size).items():
        service = SERVICES.get(container["name"])
        if not service or name == "spark-connect/cdp":
            continue
        assert container["image"] == service["image"], name
        assert container.get("command", []) == service.get("entrypoint", []), name
        # Here a pod is known by its address.
        own = re.compile(r"=?(\$\(POD_IP\)|spark-connect|spark-master|trino-worker|worker)$")
        args = [own.sub("", a).removesuffix("=$(POD_NAME)") for a in container.get("args", [])]
        words = [own.sub("", str(w)) for w in service.get("command", [])]
        assert [a for a in args if a not in {"", "--host"}] == [
            w for w in words if w not in {"", "--host"}
        ], name


@needs_kustomize
@every_size
def test_containers_are_told_what_compose_tells(size: str) -> None:
    maps = {m["metadata"]["name"]: m["data"] for m in of_kind(size, "ConfigMap")}
    known = known_variables()
    for name, (container, _) in containers(size).items():
        told: dict[str, str] = {}
        for source in container.get("envFrom", []):
            told |= maps[source["configMapRef"]["name"]]
        told |= {v["name"]: v.get("value", "") for v in container.get("env", [])}
        assert {v for v in told if v.startswith("CDP_")} <= known, name
        if container["name"] in SERVICES and name != "spark-connect/cdp":
            expected = environment(container["name"])
            expected |= (
                {"CDP_SPARK_MASTER": told["CDP_SPARK_MASTER"]}
                if ("CDP_SPARK_MASTER" in expected)
                else {}
            )
            assert {n: v for n, v in told.items() if not n.startswith("POD_")} == expected, name


@needs_kustomize
@every_size
def test_configuration_is_mounted_where_the_image_has_it(size: str) -> None:
    maps = {m["metadata"]["name"]: m["data"] for m in of_kind(size, "ConfigMap")}
    for name, (container, spec) in containers(size).items():
        volumes = {v["name"]: v["configMap"] for v in spec["volumes"] if "configMap" in v}
        for mount in container["volumeMounts"]:
            if (source := volumes.get(mount["name"])) and mount["mountPath"].startswith("/app/"):
                folder = ROOT / mount["mountPath"].removeprefix("/app/")
                data = maps[source["name"]]
                paths = {i["key"]: i["path"] for i in source.get("items", [])} or dict(
                    zip(data, data, strict=True)
                )
                assert set(paths) == set(data), name
                for key, path in paths.items():
                    assert (folder / path).read_text() == data[key], name


@needs_kustomize
def test_only_what_has_several_pods_has_a_budget_of_disruptions() -> None:
    """A budget for one pod would keep its node from being drained."""
    budgets = of_kind("full", "PodDisruptionBudget")
    assert {b["metadata"]["name"] for b in budgets} == {"spark-worker", "trino-worker"}
    for budget in budgets:
        labels = pods("full")[budget["metadata"]["name"]]["metadata"]["labels"]
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert budget["spec"]["maxUnavailable"] == 1


@needs_kustomize
def test_addresses_that_parts_are_told_are_services_with_that_port() -> None:
    ports = {
        (m["metadata"]["name"], p["port"])
        for m in of_kind("full", "Service")
        for p in m["spec"]["ports"]
    }
    told = [*LAKEHOUSE.values(), *AIRFLOW.values(), *(environment("spark-connect").values())]
    addresses = re.findall(r"\w+://([\w-]+):(\d+)", " ".join(told))
    wanted = {(host, int(port)) for host, port in addresses if host != "localhost"}
    assert wanted <= ports
    for service in of_kind("full", "Service"):
        (pod,) = (
            p
            for p in pods("full").values()
            if service["spec"]["selector"].items() <= p["metadata"]["labels"].items()
        )
        listens = {p["containerPort"] for c in pod["spec"]["containers"] for p in c["ports"]}
        assert {p["port"] for p in service["spec"]["ports"]} <= listens
