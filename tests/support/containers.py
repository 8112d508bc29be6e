"""What the tests of docker/ read: its files, and what containers are told."""

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdp.provision import Provisioned
from cdp.provision.archives import Archive
from cdp.settings import ROOT, Settings
from cdp.stack.service import Service
from cdp.stack.services import services as local_services

DOCKER = ROOT / "docker"
PLACEHOLDER = re.compile(r"\$\{(?:ENV:)?(\w+)\}")
Words = list[str]


def instructions() -> list[Words]:
    """The instructions of the Dockerfile, each as words, comments left out."""
    text = (DOCKER / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [line.split() for line in joined.splitlines() if line.strip()]


@cache
def stages() -> dict[str, list[Words]]:
    """The instructions by stage, those of the stages it is built from included."""
    found: dict[str, list[Words]] = {}
    name = ""
    for words in instructions():
        if words[0] == "FROM":
            name = words[3]
            found[name] = list(found.get(words[1], []))
        found[name].append(words)
    return found


def image_command(target: str) -> Words:
    """What a container of the image runs when it is told nothing."""
    command: Words = []
    for words in stages()[target]:
        if words[0] in {"ENTRYPOINT", "CMD"}:
            value = json.loads(" ".join(words[1:]))
            command = value if words[0] == "ENTRYPOINT" else command + value
    return command


def env_file(path: Path) -> dict[str, str]:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


LAKEHOUSE = env_file(DOCKER / "lakehouse" / "lakehouse.env")
AIRFLOW = env_file(DOCKER / "airflow" / "airflow.env")
COMPOSE = DOCKER / "compose.yaml"
COMPOSE_TEXT = COMPOSE.read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE_TEXT)["services"]


def environment(name: str) -> dict[str, str]:
    """What the container is told, env files included."""
    service = SERVICES[name]
    declared = {n: str(v) for n, v in service.get("environment", {}).items()}
    files = [env_file(DOCKER / path) for path in service["env_file"]]
    return {n: v for each in [*files, declared] for n, v in each.items()}


def derived(environment: dict[str, str], folder: Path) -> dict[str, str]:
    """The environment that `enter.py` gives to a part, with secrets made for this.

    environment: what the container is told. folder: for the secrets.
    """
    made = [sys.executable, str(DOCKER / "make_secrets.py"), str(folder)]
    subprocess.run(made, check=True, capture_output=True)
    done = enter({**environment, "CDP_SECRETS_DIR": str(folder)})
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


def enter(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DOCKER / "enter.py"), "/usr/bin/env", "--null"],
        env={"PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def known_variables() -> set[str]:
    """Settings, and what the configuration files, the scripts and the DAGs read beside them."""
    files = [
        *(DOCKER / "trino").rglob("*.properties"),
        *(ROOT / "spark_conf").glob("*.conf"),
        *DOCKER.glob("*.sh"),
        *(ROOT / "orchestration").rglob("*.py"),
    ]
    text = "\n".join(path.read_text() for path in files)
    read = set(re.findall(r"\bCDP_[A-Z_]+\b", text))
    return read | {f"CDP_{field.upper()}" for field in Settings.model_fields}


def local(name: str, state_dir: Path) -> Service:
    """The service as `cdp up` starts it."""
    home = Path("/provisioned")
    parts = Provisioned(
        spark_jars=(),
        extra_jars=(),
        spark_home_jars=home / "spark" / "jars",
        rest_catalog_jars=(),
        java_spark=home / "java-spark",
        java_trino=home / "java-trino",
        trino=home / "trino",
        spark_archive=Archive(home),
        trino_archive=Archive(home),
    )
    chosen = ("postgres", "spark-cluster", "trino-worker", "airflow")
    settings = Settings(state_dir=state_dir, with_services=chosen)
    return next(s for s in local_services(settings, parts) if s.name == name)


# Kubernetes' objects as kustomize makes them.
KUSTOMIZE = [["kustomize", "build"], ["kubectl", "kustomize"]]
Manifest = dict[str, Any]


def kustomize() -> Words:
    """The command that renders an overlay; empty where there is none."""
    return next((words for words in KUSTOMIZE if shutil.which(words[0])), [])


@cache
def rendered(size: str) -> list[Manifest]:
    """The objects of an overlay."""
    overlay = DOCKER / "kubernetes" / "overlays" / size
    done = subprocess.run([*kustomize(), str(overlay)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


SIZES = ("small", "full")
every_size = pytest.mark.parametrize("size", SIZES)
needs_kustomize = pytest.mark.skipif(
    not kustomize(), reason="neither kustomize nor kubectl, which has it, is on this machine"
)
NAME = "app.kubernetes.io/name"


def of_kind(size: str, *kinds: str) -> list[Manifest]:
    return [m for m in rendered(size) if m["kind"] in kinds]


def pods(size: str) -> dict[str, dict[str, Any]]:
    """The pod templates, by what makes them."""
    found = of_kind(size, "Deployment", "StatefulSet", "Job")
    return {m["metadata"]["name"]: m["spec"]["template"] for m in found}
