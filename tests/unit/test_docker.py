"""The images of docker/ against the locks and the local stack: no engine, no network."""

import re
import runpy
import shlex
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import SecretStr

from cdp import spark_conf
from cdp.settings import ROOT, Settings
from cdp.stack import airflow, postgres
from tests.support.containers import (
    AIRFLOW,
    DOCKER,
    LAKEHOUSE,
    PLACEHOLDER,
    derived,
    enter,
    image_command,
    instructions,
    known_variables,
    local,
    stages,
)

IMAGES = ("store", "spark", "trino", "cdp", "airflow")


# The Dockerfile.


def test_dockerfile_is_without_findings_of_its_linter() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    command = [str(linter), "--failure-threshold", "style", str(DOCKER / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("image", IMAGES)
def test_image_is_left_to_a_user_without_privileges(image: str) -> None:
    users = [words[1] for words in stages()[image] if words[0] == "USER"]
    assert users[-1] == "10001:10001"


def test_base_images_are_pinned_to_a_full_version() -> None:
    known: set[str] = set()
    for words in instructions():
        if words[0] == "FROM":
            if words[1] not in known:
                assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+-[a-z-]+", words[1]), words[1]
            known.add(words[3])


def test_python_of_the_base_image_is_the_one_that_the_locks_are_made_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    oldest = project["requires-python"].split(",")[0].removeprefix(">=")
    assert instructions()[0][1].startswith(f"python:{oldest}.")


def test_everything_installed_is_from_a_lock_by_hash_or_the_project_itself() -> None:
    text = " ".join(" ".join(words) for words in instructions())
    installs = re.findall(r"(?:uv )?pip (?:install|sync) [^&]*?(?= && | [A-Z]{3,} |$)", text)
    locked = {lock: i for i in installs if (lock := "".join(re.findall(r"\w+(?=\.txt)", i)))}
    assert set(locked) == {"bootstrap", "runtime", "airflow"}
    assert all("--require-hashes" in install for install in locked.values())
    (own,) = set(installs) - set(locked.values())
    assert {"--offline", "--no-deps", "--no-build-isolation", "--editable"} <= set(own.split())


def test_what_the_dockerfile_copies_is_in_the_repository_and_reaches_the_builder() -> None:
    allowed = ignore_file_patterns()
    for words in instructions():
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
        if pattern == ".dbtignore":
            continue
        assert not pattern.startswith((".", "data", "docker/.", "docker/*", "docker/secrets"))
        assert pattern not in {"docker", "*"}


# Secrets.


def test_secrets_are_made_once_and_closed_to_others(tmp_path: Path) -> None:
    make = runpy.run_path(str(DOCKER / "make_secrets.py"))["make"]
    folder = tmp_path / "secrets"
    names = make(folder)
    made = {name: (folder / name).read_text() for name in names}
    (folder / "cdp_spark_token").unlink()
    assert make(folder) == ["cdp_spark_token"]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept = {name: (folder / name).read_text() for name in names}
    assert kept.pop("cdp_spark_token") != made.pop("cdp_spark_token")
    assert kept == made
    assert made["postgres_password"] in made["cdp_postgres_url"]
    assert made["airflow_database_password"] in made["airflow_database_url"]
    assert Settings(postgres_url=SecretStr(made["cdp_postgres_url"])).has_postgres


def test_secrets_of_the_platform_are_settings_and_those_of_airflow_are_read(tmp_path: Path) -> None:
    names = set(runpy.run_path(str(DOCKER / "make_secrets.py"))["make"](tmp_path))
    ours = {name for name in names if name.startswith("cdp_")}
    assert {name.removeprefix("cdp_") for name in ours} <= set(Settings.model_fields)
    files = [DOCKER / "airflow" / f for f in ("airflow.env", "api-server.sh", "database.sql")]
    text = "\n".join(path.read_text() for path in files)
    assert set(re.findall(r"/run/secrets/(\w+)", text)) == names - ours - {"postgres_password"}


def test_nothing_is_entered_without_the_keys_of_the_store(tmp_path: Path) -> None:
    done = enter(LAKEHOUSE | {"CDP_SECRETS_DIR": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: no keys of the store in {tmp_path}\n")
    assert done.stdout == ""


def test_a_part_is_told_what_the_local_services_are_told(tmp_path: Path) -> None:
    told = derived(LAKEHOUSE, tmp_path)
    expected = set(Settings.model_validate({}).environment()) - {"SPARK_REMOTE"}
    assert expected <= set(told)
    # It would make a client of what is to be the server.
    assert "SPARK_REMOTE" not in told
    assert told["AWS_SECRET_ACCESS_KEY"] == (tmp_path / "cdp_s3_secret_key").read_text()
    assert told["CDP_CATALOG_URL"] == LAKEHOUSE["CDP_CATALOG_URI"]
    assert told["CDP_TRINO_HOST"] == "trino"


# The configuration that containers and the local stack share.


def test_env_files_name_what_is_read() -> None:
    named = {name for name in {**LAKEHOUSE, **AIRFLOW} if name.startswith("CDP_")}
    assert named <= known_variables()


def test_airflow_has_the_settings_of_the_local_one_but_for_places(tmp_path: Path) -> None:
    expected = airflow.environment(Settings(state_dir=tmp_path))
    expected["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD"] = expected.pop(
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
    )
    assert set(expected) <= set(AIRFLOW)
    places = re.compile(r"HOME|FOLDER|FILE$|URL|HOST|_CMD$|PATH|MANIFEST")
    for name in expected:
        if not places.search(name):
            assert AIRFLOW[name] == expected[name], name
    assert AIRFLOW["AIRFLOW__API__PORT"] in AIRFLOW["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"]


def test_airflow_is_prepared_as_the_local_one() -> None:
    lines = (DOCKER / "airflow" / "init.sh").read_text().splitlines()
    commands = [tuple(shlex.split(line)[1:]) for line in lines if line.startswith("airflow ")]
    assert tuple(commands) == airflow.PREPARATION


@pytest.mark.parametrize("script", sorted(DOCKER.rglob("*.sh")), ids=lambda p: p.name)
def test_scripts_are_read_by_a_plain_shell(script: Path) -> None:
    dash = shutil.which("dash") or "/bin/sh"
    subprocess.run([dash, "-n", str(script)], check=True)


def test_trino_is_given_every_variable_of_its_configuration(tmp_path: Path) -> None:
    files = (DOCKER / "trino").rglob("*.properties")
    wanted = {name for path in files for name in PLACEHOLDER.findall(path.read_text())}
    own = {"CDP_TRINO_BIND", "CDP_TRINO_QUERY_MEMORY"}
    assert own < wanted
    assert wanted - own <= set(derived(LAKEHOUSE, tmp_path))


def test_spark_connect_is_given_every_variable_of_its_properties(tmp_path: Path) -> None:
    own = {"CDP_SPARK_CONNECT_PORT": "15002", "CDP_SPARK_JAVA_OPTIONS": ""}
    properties = spark_conf.render("cluster", derived(LAKEHOUSE | own, tmp_path))
    assert "spark.connect.grpc.binding.port                     15002\n" in properties
    assert (tmp_path / "cdp_spark_token").read_text() in properties


def test_trino_runs_the_command_of_the_local_stack(tmp_path: Path) -> None:
    words = image_command("trino")
    assert words[:2] == ["python", "/app/docker/enter.py"]
    jvm = [line for line in (DOCKER / "trino" / "jvm.config").read_text().split() if line]
    words[:4] = jvm
    places = {
        "/app/": f"{ROOT}/",
        "/var/lib/trino": str(tmp_path / "trino"),
        "/opt/trino": "/provisioned/trino",
    }
    for inside, outside in places.items():
        words = [word.replace(inside, outside) for word in words]
    expected = [w for w in local("trino", tmp_path).command[1:] if not w.startswith("-Xmx")]
    assert sorted(words) == sorted(expected)
    assert words[-1] == expected[-1]


def test_spark_connect_is_submitted_as_in_the_local_stack(tmp_path: Path) -> None:
    script = (DOCKER / "spark-connect.sh").read_text().replace("\\\n", " ")
    submitted = shlex.split(script.split("exec ")[1])
    expected = local("spark", tmp_path).command
    for option in ("--name", "--class"):
        assert submitted[submitted.index(option) + 1] == expected[expected.index(option) + 1]
    assert submitted[-1] == expected[-1]
    assert "unset SPARK_REMOTE" in script


def test_postgres_asks_everyone_for_a_password() -> None:
    for text in ((DOCKER / "postgres" / "pg_hba.conf").read_text(), postgres.ACCESS):
        rules = [line.split() for line in text.splitlines() if not line.startswith("#")]
        assert {rule[-1] for rule in rules} == {"scram-sha-256"}
        assert "replication" in {rule[1] for rule in rules}
    assert {line.split()[3] for line in postgres.ACCESS.splitlines()} == {"127.0.0.1/32"}


def test_pools_of_airflow_leave_connections_of_postgres_for_others() -> None:
    text = (DOCKER / "postgres" / "postgresql.conf").read_text()
    (most,) = re.findall(r"^max_connections = (\d+)", text, re.MULTILINE)
    pool = sum(
        int(AIRFLOW[f"AIRFLOW__DATABASE__SQL_ALCHEMY_{name}"])
        for name in ("POOL_SIZE", "MAX_OVERFLOW")
    )
    assert 4 * pool <= int(most) - 10
