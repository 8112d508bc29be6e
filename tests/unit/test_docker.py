"""docker/ against itself and against the configuration it serves: no engine, no network."""

import itertools
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cdp import spark_conf
from cdp.provision import Provisioned
from cdp.settings import ROOT, Settings
from cdp.stack import postgres
from cdp.stack.services import services as local_services

DOCKER = ROOT / "docker"
COMPOSE = DOCKER / "compose.yaml"
TEXT = COMPOSE.read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
every_service = pytest.mark.parametrize("name", SERVICES)
# Postgres has the official image; the others are built here.
BUILT = [name for name in SERVICES if name != "postgres"]
every_built_service = pytest.mark.parametrize("name", BUILT)


def dockerfile() -> list[list[str]]:
    """The instructions of the Dockerfile, each as words, comments left out."""
    text = (DOCKER / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [line.split() for line in joined.splitlines() if line.strip()]


def stages() -> dict[str, list[list[str]]]:
    """The instructions by stage, those of the stages it is built from included."""
    found: dict[str, list[list[str]]] = {}
    name = ""
    for words in dockerfile():
        if words[0] == "FROM":
            name = words[3]
            found[name] = list(found.get(words[1], []))
        found[name].append(words)
    return found


def environment(name: str) -> dict[str, str]:
    declared = SERVICES[name].get("environment", {})
    return {variable: str(value) for variable, value in declared.items()}


def local_command(name: str, state_dir: Path) -> tuple[str, ...]:
    """The command by which `cdp up` starts the service."""
    home = Path("/provisioned")
    parts = Provisioned(
        spark_jars=(),
        rest_catalog_jars=(),
        java_spark=home / "java-spark",
        java_trino=home / "java-trino",
        trino=home / "trino",
    )
    settings = Settings(state_dir=state_dir, with_services=("postgres",))
    return next(s.command for s in local_services(settings, parts) if s.name == name)


def test_compose_file_is_valid_by_the_compose_specification() -> None:
    command = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@every_service
def test_service_runs_without_privileges(name: str) -> None:
    service = SERVICES[name]
    assert int(service["user"].split(":")[0]) > 0
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["read_only"] is True
    assert "privileged" not in service
    assert "cap_add" not in service


@every_service
def test_service_is_bounded_in_memory_and_processes(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])
    assert SERVICES[name]["pids_limit"] > 0


@every_built_service
def test_health_check_asks_parts_that_there_are_checks_for(name: str) -> None:
    kind, program, script, *parts = SERVICES[name]["healthcheck"]["test"]
    assert (kind, program, script) == ("CMD", "python", "/app/docker/health.py")
    checks = runpy.run_path(str(DOCKER / "health.py"))["CHECKS"]
    assert parts
    assert set(parts) <= set(checks)


@every_service
def test_service_waits_for_the_health_of_what_it_needs(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        assert needed in SERVICES
        assert how == {"condition": "service_healthy"}


@every_service
def test_ports_are_published_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


@every_built_service
def test_image_has_the_version_of_the_project_and_a_target_that_exists(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    service = SERVICES[name]
    target = service["build"]["target"]
    assert service["image"] == f"{project['name']}-{target}:{project['version']}"
    assert target in stages()
    assert ["USER", service["user"]] in stages()[target]


def test_base_images_are_pinned_to_a_full_version() -> None:
    known = {"scratch"}
    for words in dockerfile():
        if words[0] == "FROM":
            if words[1] not in known:
                assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+-[a-z-]+", words[1]), words[1]
            known.add(words[3])


def test_python_of_the_base_image_is_the_one_that_the_locks_are_made_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = project["requires-python"].split(",")[0].removeprefix(">=")
    assert dockerfile()[0][1].startswith(f"python:{oldest}.")


def test_everything_installed_is_checked_by_hash() -> None:
    text = " ".join(" ".join(words) for words in dockerfile())
    installs = re.findall(r"(?:uv )?pip (?:install|sync) [^&]*", text)
    assert len(installs) == 2
    assert all("--require-hashes" in install for install in installs)


def test_what_the_dockerfile_copies_is_in_the_repository_and_reaches_the_builder() -> None:
    allowed = ignore_file_patterns()
    for words in dockerfile():
        if words[0] == "COPY" and not words[1].startswith("--from"):
            for source in words[1:-1]:
                assert (ROOT / source).exists(), source
                within = source == "." or any(
                    Path(source).is_relative_to(a.split("*")[0].rstrip("/")) for a in allowed
                )
                assert within, f"{source} is not in Dockerfile.dockerignore"


def ignore_file_patterns() -> list[str]:
    lines = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    return [rule.removeprefix("!") for rule in rules if rule.startswith("!")]


def test_builder_is_sent_no_credentials_and_no_data() -> None:
    for pattern in ignore_file_patterns():
        assert not pattern.startswith((".", "data", "docker/.", "docker/*"))
        assert pattern not in {"docker", "*"}


@pytest.mark.parametrize("used", sorted(set(re.findall(r"/app/([\w./-]+)", TEXT))))
def test_project_files_that_compose_names_are_in_the_repository(used: str) -> None:
    assert (ROOT / used).exists()


@every_service
def test_bind_mounts_are_read_only_and_exist(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        if isinstance(volume, dict):
            assert volume["read_only"] is True
            assert (DOCKER / volume["source"]).exists()
        else:
            assert volume.split(":")[0] in {"store", "postgres", "/scratch"}


def example_variables() -> dict[str, str]:
    lines = (DOCKER / ".env.example").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def test_every_variable_of_compose_is_required_and_in_the_example() -> None:
    required = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert required == set(re.findall(r"\$\{(\w+)", TEXT)) == set(example_variables())


def test_example_holds_no_values() -> None:
    assert set(example_variables().values()) == {""}


def test_files_of_secrets_are_ignored_by_git() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {"/docker/.env", "/docker/secrets/"} <= set(ignored)
    for secret in yaml.safe_load(TEXT)["secrets"].values():
        assert secret["file"].startswith("secrets/")
        assert f"docker/{secret['file']}" in (DOCKER / ".env.example").read_text()


def test_no_secret_stands_in_compose() -> None:
    for name in SERVICES:
        for variable, value in environment(name).items():
            if variable.endswith("_FILE"):
                assert value.removeprefix("/run/secrets/") in SERVICES[name]["secrets"]
            elif re.search("SECRET|TOKEN|KEY|PASSWORD", variable):
                assert re.fullmatch(r"(\$\{\w+(:\?[^}]+)?\}:?)+", value), variable


def test_trino_is_given_every_variable_of_its_configuration() -> None:
    files = [p for p in (DOCKER / "trino").rglob("*") if p.is_file()]
    wanted = {v for p in files for v in re.findall(r"\$\{ENV:(\w+)\}", p.read_text())}
    assert wanted
    assert wanted <= set(environment("trino"))


def test_spark_connect_is_given_every_variable_of_its_properties() -> None:
    properties = spark_conf.render("cluster", environment("spark-connect"))
    assert "spark.connect.grpc.binding.port                     15002\n" in properties


def test_workers_reach_the_store_with_the_keys_of_spark_connect() -> None:
    shared = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"}
    worker, server = environment("spark-worker"), environment("spark-connect")
    assert {v: worker[v] for v in shared} == {v: server[v] for v in shared}


def test_spark_connect_is_not_told_of_a_server_to_be_a_client_of() -> None:
    assert "SPARK_REMOTE" not in environment("spark-connect")
    assert "unset SPARK_REMOTE" in (DOCKER / "spark-connect.sh").read_text()


def test_token_goes_to_localhost_only() -> None:
    tools = SERVICES["cdp"]
    port = environment("spark-connect")["CDP_SPARK_CONNECT_PORT"]
    assert environment("cdp")["CDP_SPARK_REMOTE"] == f"sc://localhost:{port}"
    assert tools["network_mode"] == "service:spark-connect"
    assert tools["profiles"] == ["tools"]


def test_an_executor_fits_its_worker() -> None:
    worker = [str(word) for word in SERVICES["spark-worker"]["command"]]
    assert worker[worker.index("--memory") + 1] == "1g"
    assert worker[worker.index("--cores") + 1] == "1"
    options = SERVICES["spark-connect"]["command"]
    assert "--conf=spark.executor.memory=1g" in options
    assert "--conf=spark.executor.cores=1" in options


def test_settings_of_the_command_line_are_settings_that_there_are() -> None:
    known = {f"CDP_{field.upper()}" for field in Settings.model_fields}
    assert {v for v in environment("cdp") if v.startswith("CDP_")} <= known


def test_trino_runs_the_command_of_the_local_stack(tmp_path: Path) -> None:
    (entrypoint,) = (w for w in dockerfile() if w[0] == "ENTRYPOINT" and "TrinoServer" in w[-1])
    words = [word.strip('[],"') for word in entrypoint[2:]]
    jvm = [line for line in (DOCKER / "trino" / "jvm.config").read_text().split() if line]
    words[0:1] = jvm
    places = {
        "/app/": f"{ROOT}/",
        "/var/lib/trino": str(tmp_path / "trino"),
        "/opt/trino": "/provisioned/trino",
    }
    for inside, outside in places.items():
        words = [word.replace(inside, outside) for word in words]
    local = [w for w in local_command("trino", tmp_path)[1:] if not w.startswith("-Xmx")]
    assert words == local
    assert "-Xmx" in environment("trino")["JDK_JAVA_OPTIONS"]


def test_store_gets_the_flags_of_the_local_stack_but_for_addresses(tmp_path: Path) -> None:
    addresses = re.compile(r"-(ip|ip\.bind|dir)=|-[\w.]*port(\.grpc|\.iceberg)?=")
    local = {f for f in local_command("store", tmp_path)[3:] if not addresses.match(f)}
    given = {f for f in SERVICES["store"]["command"] if not addresses.match(f)}
    assert given == local
    assert "-master.telemetry=false" in given


def settings_given(command: tuple[str, ...] | list[str]) -> set[str]:
    """The names of the settings that a command gives to Postgres."""
    return {
        word.split("=")[0]
        for flag, word in itertools.pairwise(command)
        if flag == "-c" and not word.startswith("unix_socket")
    }


def test_postgres_is_the_version_and_has_the_configuration_of_the_local_stack(
    tmp_path: Path,
) -> None:
    service = SERVICES["postgres"]
    local = local_command("postgres", tmp_path)
    program = postgres.package() / f"pginstall{postgres.MAJOR}" / "bin" / "postgres"
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    version = told.stdout.split()[-1]
    assert re.fullmatch(re.escape(f"postgres:{version}") + r"-[a-z]+", service["image"])
    assert settings_given(local) - {"port"} == settings_given(service["command"])
    assert "./postgres" in {v["source"] for v in service["volumes"] if isinstance(v, dict)}
    assert postgres.CONFIGURATION == DOCKER / "postgres" / "postgresql.conf"
    assert set(postgres.LOCALE) <= set(environment("postgres")["POSTGRES_INITDB_ARGS"].split())


def test_postgres_asks_everyone_for_a_password() -> None:
    for text in ((DOCKER / "postgres" / "pg_hba.conf").read_text(), postgres.ACCESS):
        rules = [line.split() for line in text.splitlines() if not line.startswith("#")]
        assert {rule[-1] for rule in rules} == {"scram-sha-256"}
        assert "replication" in {rule[1] for rule in rules}
    assert {line.split()[3] for line in postgres.ACCESS.splitlines()} == {"127.0.0.1/32"}


def test_health_of_postgres_is_asked_as_a_client_would() -> None:
    kind, program, *options = SERVICES["postgres"]["healthcheck"]["test"]
    assert (kind, program) == ("CMD", "pg_isready")
    assert "--host=127.0.0.1" in options


def test_spark_connect_is_submitted_as_in_the_local_stack(tmp_path: Path) -> None:
    script = (DOCKER / "spark-connect.sh").read_text().replace("\\\n", " ")
    submitted = shlex.split(script.split("exec ")[1])
    local = local_command("spark", tmp_path)
    for option in ("--name", "--class"):
        assert submitted[submitted.index(option) + 1] == local[local.index(option) + 1]
    assert submitted[-1] == local[-1]
