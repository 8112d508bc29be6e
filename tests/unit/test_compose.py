"""docker/compose.yaml against itself, the images and the local stack: no engine, no network."""

import itertools
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from cdp.settings import ROOT
from cdp.stack import postgres
from tests.support.containers import (
    AIRFLOW,
    COMPOSE,
    COMPOSE_TEXT,
    DOCKER,
    LAKEHOUSE,
    SERVICES,
    env_file,
    environment,
    image_command,
    known_variables,
    local,
    stages,
)

SECRETS: dict[str, dict[str, str]] = yaml.safe_load(COMPOSE_TEXT)["secrets"]
every_service = pytest.mark.parametrize("name", SERVICES)
# Postgres has the official image; the others are built here.
every_built_service = pytest.mark.parametrize("name", [n for n in SERVICES if n != "postgres"])
SMALL = {"store", "spark-connect", "trino"}
FULL = set(SERVICES) - {"cdp"}
# It ends when it is done.
ONCE = {"airflow-init"}


def command(name: str) -> list[str]:
    """What the container runs."""
    service = SERVICES[name]
    image = image_command(service["build"]["target"]) if "build" in service else []
    if "entrypoint" in service:
        return [*service["entrypoint"], *service.get("command", [])]
    entrypoint = [w for w in image if w not in {"-Dnode.id=coordinator", image[-1]}]
    given = service.get("command")
    if given is None:
        return image
    return [*(entrypoint if "trino" in name else image), *given]


def test_compose_file_is_valid_by_the_compose_specification() -> None:
    words = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# Profiles.


@pytest.mark.parametrize(("size", "expected"), [("small", SMALL), ("full", FULL)])
def test_profile_starts_what_is_of_its_size(size: str, expected: set[str]) -> None:
    assert {n for n, s in SERVICES.items() if size in s["profiles"]} == expected
    assert env_file(DOCKER / f"{size}.env")["COMPOSE_PROFILES"] == size


def test_sizes_differ_in_where_spark_works(tmp_path: Path) -> None:
    masters = [env_file(DOCKER / f"{s}.env")["CDP_SPARK_MASTER"] for s in ("small", "full")]
    assert masters == ["local[2]", SERVICES["spark-worker"]["command"][-1]]
    (required,) = set(re.findall(r"\$\{(\w+)(?=:\?)", COMPOSE_TEXT))
    assert required == "CDP_SPARK_MASTER"
    assert set(re.findall(r"\$\{(\w+)", COMPOSE_TEXT)) == {required}
    assert local("spark-master", tmp_path).ports["master"] == 7077


@every_service
def test_service_waits_for_the_health_of_what_it_needs(name: str) -> None:
    for needed, how in SERVICES[name].get("depends_on", {}).items():
        done = "service_completed_successfully" if needed in ONCE else "service_healthy"
        assert how["condition"] == done
        # What is not of its size is not waited for.
        own = set(SERVICES[name]["profiles"]) - {"tools"}
        assert own <= set(SERVICES[needed]["profiles"]) or how["required"] is False


# Every container.


@every_service
def test_service_runs_without_privileges(name: str) -> None:
    service = SERVICES[name]
    assert int(service["user"].split(":")[0]) > 0
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["read_only"] is True
    assert not {"privileged", "cap_add", "pid", "ipc", "devices"} & set(service)


@every_service
def test_service_is_bounded_in_memory_and_processes(name: str) -> None:
    assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])
    assert SERVICES[name]["pids_limit"] > 0


@every_service
def test_service_has_a_health_check_that_there_is(name: str) -> None:
    checks = runpy.run_path(str(DOCKER / "health.py"))["CHECKS"]
    if name in ONCE:
        assert "healthcheck" not in SERVICES[name]
        return
    kind, program, *words = SERVICES[name]["healthcheck"]["test"]
    assert kind == "CMD"
    if program == "python":
        assert words[0] == "/app/docker/health.py"
        assert words[1:]
        assert set(words[1:]) <= set(checks)
    elif program == "airflow":
        assert words[:3] == ["jobs", "check", "--job-type"]
        assert words[3] in {"SchedulerJob", "DagProcessorJob", "TriggererJob"}
    else:
        # On loopback: while it is being set up it listens on its socket only.
        assert (name, program) == ("postgres", "pg_isready")
        assert "--host=127.0.0.1" in words


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
    assert ["USER", service["user"]] in stages()[target]


@pytest.mark.parametrize("used", sorted(set(re.findall(r"/app/([\w./-]+)", COMPOSE_TEXT))))
def test_project_files_that_compose_names_are_in_the_repository(used: str) -> None:
    # dbt makes its folder.
    assert used == "target" or (ROOT / used).exists()


@every_service
def test_bind_mounts_are_read_only_and_exist_and_other_volumes_are_data(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        if isinstance(volume, dict):
            assert volume["read_only"] is True
            assert (DOCKER / volume["source"]).exists()
        else:
            assert volume.split(":")[0] in {
                "store",
                "postgres",
                "airflow-logs",
                "/scratch",
                "/logs",
            }


def test_all_share_one_network() -> None:
    assert set(yaml.safe_load(COMPOSE_TEXT)["networks"]) == {"default"}
    assert not any("networks" in service for service in SERVICES.values())
    joined = {n for n, s in SERVICES.items() if "network_mode" in s}
    # The token goes to localhost only: who uses Spark Connect is where it is.
    assert joined == {"cdp", "airflow-scheduler"}
    for name in joined:
        assert SERVICES[name]["network_mode"] == "service:spark-connect"
        assert "cdp_spark_token" in SERVICES[name]["secrets"]
    port = environment("spark-connect")["CDP_SPARK_CONNECT_PORT"]
    assert LAKEHOUSE["CDP_SPARK_REMOTE"] == f"sc://localhost:{port}"


# Secrets.


def test_secrets_are_the_files_that_are_made_and_git_ignores(tmp_path: Path) -> None:
    made = runpy.run_path(str(DOCKER / "make_secrets.py"))["make"](tmp_path)
    assert {name: s["file"] for name, s in SECRETS.items()} == {n: f"secrets/{n}" for n in made}
    assert "/docker/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    assert {s for service in SERVICES.values() for s in service.get("secrets", [])} == set(made)


@every_service
def test_no_secret_stands_in_an_environment(name: str) -> None:
    for variable, value in environment(name).items():
        for path in re.findall(r"/run/secrets/(\w+)", value):
            assert path in SERVICES[name]["secrets"]
        if re.search("SECRET|TOKEN|KEY|PASSWORD|CONN(_|$)", variable):
            is_copy = variable == "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
            assert "/run/secrets" in value or is_copy, variable


@every_service
def test_service_is_told_what_there_is_to_be_told(name: str) -> None:
    known = known_variables()
    assert {v for v in environment(name) if v.startswith("CDP_")} <= known


def test_workers_reach_the_store_with_the_keys_of_spark_connect() -> None:
    assert set(SERVICES["spark-worker"]["secrets"]) <= set(SERVICES["spark-connect"]["secrets"])
    assert "secrets" not in SERVICES["spark-master"]


# The local stack.


def test_an_executor_fits_its_worker() -> None:
    worker = SERVICES["spark-worker"]["command"]
    options = SERVICES["spark-connect"]["command"]
    for option, setting in (("--memory", "memory"), ("--cores", "cores")):
        size = worker[worker.index(option) + 1]
        assert f"--conf=spark.executor.{setting}={size}" in options


@pytest.mark.parametrize("name", ["spark-master", "spark-worker"])
def test_daemon_of_spark_is_that_of_the_local_stack(name: str, tmp_path: Path) -> None:
    expected = local({"spark-worker": "spark-worker-1"}.get(name, name), tmp_path)
    told = environment(name)
    assert command(name)[command(name).index("spark-class") + 1] == expected.command[1]
    assert told["SPARK_DAEMON_MEMORY"] == expected.environment["SPARK_DAEMON_MEMORY"]
    assert "-Dspark.master.rest.enabled=false" in told["SPARK_DAEMON_JAVA_OPTS"]


def test_worker_of_trino_is_that_of_the_local_stack(tmp_path: Path) -> None:
    role = {"-Dcoordinator=false", "-Dnode.id=worker", "io.trino.server.TrinoServer"}
    assert role <= set(command("trino-worker"))
    assert role <= set(local("trino-worker", tmp_path).command)
    assert "-Dcoordinator=false" not in command("trino")
    for name in ("trino", "trino-worker"):
        assert "-Xmx" in environment(name)["JDK_JAVA_OPTIONS"]
    query = local("trino", tmp_path).environment["CDP_TRINO_QUERY_MEMORY"]
    assert environment("trino")["CDP_TRINO_QUERY_MEMORY"] == query


def test_store_gets_the_flags_of_the_local_stack_but_for_addresses(tmp_path: Path) -> None:
    addresses = re.compile(r"-(ip|ip\.bind|dir)=|-[\w.]*port(\.grpc|\.iceberg)?=")
    expected = {f for f in local("store", tmp_path).command[3:] if not addresses.match(f)}
    given = {f for f in SERVICES["store"]["command"] if not addresses.match(f)}
    assert given == expected
    assert "-master.telemetry=false" in given


def settings_given(words: tuple[str, ...] | list[str]) -> set[str]:
    """The names of the settings that a command gives to Postgres."""
    return {
        word.split("=")[0]
        for flag, word in itertools.pairwise(words)
        if flag == "-c" and not word.startswith("unix_socket")
    }


def test_postgres_is_the_version_and_has_the_configuration_of_the_local_stack(
    tmp_path: Path,
) -> None:
    service = SERVICES["postgres"]
    program = postgres.package() / f"pginstall{postgres.MAJOR}" / "bin" / "postgres"
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    version = told.stdout.split()[-1]
    assert re.fullmatch(re.escape(f"postgres:{version}") + r"-[a-z]+", service["image"])
    expected = settings_given(local("postgres", tmp_path).command) - {"port"}
    assert settings_given(service["command"]) == expected
    assert "./postgres" in {v["source"] for v in service["volumes"] if isinstance(v, dict)}
    assert postgres.CONFIGURATION == DOCKER / "postgres" / "postgresql.conf"
    assert set(postgres.LOCALE) <= set(environment("postgres")["POSTGRES_INITDB_ARGS"].split())


@pytest.mark.parametrize("name", sorted(n for n in SERVICES if n.startswith("airflow-")))
def test_part_of_airflow_is_that_of_the_local_stack(name: str, tmp_path: Path) -> None:
    if name in ONCE:
        return
    # Logs are served here: no disk is shared.
    expected = [w for w in local(name, tmp_path).command[1:] if w != "--skip-serve-logs"]
    if name == "airflow-api":
        script = (DOCKER / "airflow" / "api-server.sh").read_text()
        assert script.endswith(f"exec airflow {' '.join(expected)}\n")
        assert SERVICES[name]["ports"] == [f"127.0.0.1:8085:{AIRFLOW['AIRFLOW__API__PORT']}"]
    else:
        assert command(name) == ["airflow", *expected]
