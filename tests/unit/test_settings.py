"""The settings: where a value comes from, what is derived from it, and what stays secret."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import ValidationError

from cdp import OPTIONAL_SERVICES
from cdp import settings as module
from cdp.errors import CdpError
from cdp.settings import ROOT, Settings, stack_file


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("CDP_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a checkout that has no `.env` and no state yet."""
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setenv("CDP_STATE_DIR", str(tmp_path / ".cdp"))
    return tmp_path


# What a fresh process reads; the cache of `settings` is for the life of one.
fresh: Callable[[], Settings] = module.settings.__wrapped__


def made(**values: object) -> Settings:
    """Settings with these values; the others are the environment's and the defaults."""
    return Settings.model_validate(values)


# Where a value comes from.


def test_environment_comes_before_env_file_before_recorded_choice_before_default(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [fresh().bucket]
    stack_file(root / ".cdp").write_text("CDP_BUCKET=recorded\n")
    found.append(fresh().bucket)
    (root / ".env").write_text("CDP_BUCKET=file\n")
    found.append(fresh().bucket)
    monkeypatch.setenv("CDP_BUCKET", "environment")
    found.append(fresh().bucket)
    assert found == ["lake", "recorded", "file", "environment"]


def test_env_file_comes_before_made_credentials(root: Path) -> None:
    (root / ".env").write_text("CDP_S3_ACCESS_KEY=mine\n")
    assert fresh().s3_access_key == "mine"
    assert fresh().s3_secret_key.get_secret_value()


def test_empty_variable_is_as_none(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / ".env").write_text("CDP_BUCKET=file\nCDP_PORT_OFFSET=\n")
    monkeypatch.setenv("CDP_BUCKET", "")
    assert fresh().bucket == "file"
    assert fresh().port_offset == 0


def test_env_file_at_the_root_may_name_the_state_directory(tmp_path: Path) -> None:
    # In a copy, since the place of the module is what says where the root is.
    (tmp_path / "cdp").mkdir()
    for name in ("__init__.py", "errors.py", "settings.py"):
        shutil.copy(ROOT / "cdp" / name, tmp_path / "cdp")
    state = tmp_path / "elsewhere"
    (tmp_path / ".env").write_text(f"CDP_STATE_DIR={state}\nCDP_TRINO_USER=ann\nOTHER=ignored\n")
    code = (
        "import json; from cdp.settings import settings as s; "
        "print(json.dumps([str(s().state_dir), s().trino_user, s().s3_access_key]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    directory, user, key = json.loads(done.stdout)
    assert (directory, user) == (str(state), "ann")
    assert f"CDP_S3_ACCESS_KEY={key}\n" in (state / "credentials.env").read_text()
    assert not (tmp_path / ".cdp").exists()


def test_secrets_of_a_container_are_files_and_none_are_made(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "cdp_s3_secret_key").write_text("of the file\n")
    monkeypatch.setenv("CDP_SECRETS_DIR", str(root))
    monkeypatch.setenv("CDP_S3_ACCESS_KEY", "of the environment")
    found = fresh()
    assert found.s3_secret_key.get_secret_value() == "of the file"
    assert found.s3_access_key == "of the environment"
    assert not found.spark_token.get_secret_value()
    assert not (root / ".cdp").exists()


def test_directories_are_absolute_and_a_tilde_is_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    found = made(state_dir=Path("state"), sources_dir=Path("~/sources"))
    assert found.state_dir == tmp_path / "state"
    assert found.sources_dir == tmp_path / "sources"
    assert found.cache_dir == tmp_path / ".cache" / "cdp-lakehouse"
    assert found.artifacts_dir.is_relative_to(found.cache_dir)


# What is derived.


@pytest.mark.parametrize("services", [(), OPTIONAL_SERVICES], ids=["plain", "all services"])
def test_port_offset_shifts_every_local_address(services: tuple[str, ...]) -> None:
    def ports(offset: int) -> dict[str, int]:
        found = made(port_offset=offset, with_services=services)
        addresses = {
            "store": found.store_url,
            "catalog": found.catalog_url,
            "spark": found.spark_url,
            "master": found.master,
            "trino": found.trino_address,
            **{k: v for k, v in found.environment().items() if "127.0.0.1:" in v},
            "remote": found.environment()["SPARK_REMOTE"],
            "trino port": ":" + found.environment()["CDP_TRINO_PORT"],
        }
        if not services:
            assert addresses.pop("master") == "local[*]"
        return {name: int(value.rsplit(":", 1)[1]) for name, value in addresses.items()}

    usual = ports(0)
    assert {"CDP_S3_ENDPOINT_URL", "CDP_CATALOG_URL"} <= usual.keys()
    assert ports(700) == {name: port + 700 for name, port in usual.items()}


def test_endpoint_of_somebody_else_is_not_shifted() -> None:
    found = made(
        port_offset=700,
        s3_endpoint="https://store.example:9000",
        catalog_uri="https://catalog.example/v1",
        spark_remote="sc://spark.example:15002",
        spark_master="spark://spark.example:7077",
        trino_url="http://trino.example:8080",
        with_services=OPTIONAL_SERVICES,
    )
    assert found.store_url == "https://store.example:9000"
    assert found.catalog_url == "https://catalog.example/v1"
    assert found.spark_url == "sc://spark.example:15002"
    assert found.master == "spark://spark.example:7077"
    environment = found.environment()
    assert environment["CDP_TRINO_HOST"] == "trino.example"
    assert environment["CDP_TRINO_PORT"] == "8080"


@pytest.mark.parametrize("offset", [-1, 20_001])
def test_port_offset_out_of_range_is_refused(offset: int) -> None:
    with pytest.raises(ValidationError, match="port_offset"):
        made(port_offset=offset)


def test_environment_turns_telemetry_off_and_holds_text_alone() -> None:
    environment = made().environment()
    assert environment["DBT_SEND_ANONYMOUS_USAGE_STATS"] == "false"
    assert environment["DO_NOT_TRACK"] == "1"
    assert environment["SODA_CORE_TELEMETRY_ENABLED"] == "false"
    assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert all(isinstance(value, str) for value in environment.values())


def test_environment_holds_the_secrets_that_clients_need(root: Path) -> None:
    found = fresh()
    environment = found.environment()
    secret = found.s3_secret_key.get_secret_value()
    assert environment["AWS_ACCESS_KEY_ID"] == found.s3_access_key
    assert environment["AWS_SECRET_ACCESS_KEY"] == secret
    assert environment["CDP_CATALOG_SECRET"] == f"{found.s3_access_key}:{secret}"
    token = found.spark_token.get_secret_value()
    assert environment["SPARK_CONNECT_AUTHENTICATE_TOKEN"] == token


# The optional services.


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("rest-catalog", ("rest-catalog",)),
        (" rest-catalog , spark-cluster ", ("rest-catalog", "spark-cluster")),
        (",", ()),
    ],
)
def test_optional_services_are_a_list_with_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, expected: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CDP_WITH_SERVICES", value)
    assert made().with_services == expected


def test_unknown_optional_service_names_itself_and_the_known_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CDP_WITH_SERVICES", "rest-catalog,kafka")
    with pytest.raises(ValidationError, match="unknown service kafka: the optional ones are") as e:
        made()
    assert all(name in str(e.value) for name in OPTIONAL_SERVICES)


def test_unknown_optional_service_ends_the_command_with_one_line_and_a_fix(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cdp", "env"],
        cwd=ROOT,
        env={**os.environ, "CDP_WITH_SERVICES": "kafka", "CDP_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    problem, fix = done.stderr.splitlines()
    assert problem.startswith("error: the setting CDP_WITH_SERVICES is not right: ")
    assert "unknown service kafka" in problem
    assert fix.startswith("  fix: ")
    assert done.returncode == 1
    assert done.stdout == ""


# The registry of models.


def test_registry_is_a_file_of_the_checkout_unless_another_is_named(tmp_path: Path) -> None:
    assert made(state_dir=tmp_path).registry_uri == f"sqlite:///{tmp_path}/registry/mlflow.db"
    url = "https://ann:hidden@models.example/path"
    found = made(mlflow_uri=url)
    assert found.registry_uri == url
    assert "hidden" not in f"{found} {found!r} {''.join(found.environment().values())}"


@pytest.mark.parametrize(
    "url", ["hidden", "ftp://u:hidden@h", "http://", "sqlite:///hidden.db", "postgresql://u@hidden"]
)
def test_wrong_address_of_a_registry_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValidationError, match="neither https://host:port nor sqlite:") as error:
        made(mlflow_uri=url)
    assert "hidden" not in str(error.value)


# The secrets.


def test_credentials_are_made_once_for_their_owner_alone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(0)
    try:
        first = fresh()
    finally:
        os.umask(before)
    path = root / ".cdp" / "credentials.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    text = path.read_text()
    assert fresh() == first
    assert path.read_text() == text


def test_credentials_of_two_checkouts_differ(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name in ("one", "two"):
        monkeypatch.setenv("CDP_STATE_DIR", str(tmp_path / name))
        made = fresh()
        found += [
            made.s3_access_key,
            made.s3_secret_key.get_secret_value(),
            made.spark_token.get_secret_value(),
            made.postgres_password.get_secret_value(),
        ]
    assert all(found)
    assert len(set(found)) == 8


@pytest.mark.parametrize("end", ["\n", ""], ids=["whole", "without a last line end"])
def test_credentials_of_before_get_what_they_lack_and_keep_what_they_have(
    root: Path, end: str
) -> None:
    path = root / ".cdp" / "credentials.env"
    path.parent.mkdir()
    path.touch(mode=0o600)
    old = "CDP_S3_ACCESS_KEY=a\nCDP_S3_SECRET_KEY=b\nCDP_SPARK_TOKEN=c"
    path.write_text(old + end)
    found = fresh()
    password = found.postgres_password.get_secret_value()
    assert password
    assert path.read_text() == f"{old}\nCDP_POSTGRES_PASSWORD={password}\n"
    assert found.s3_access_key == "a"
    assert fresh() == found


def test_first_commands_at_once_agree_on_the_credentials(tmp_path: Path) -> None:
    code = (
        "from cdp.settings import settings as s; "
        "print(s().s3_access_key, s().postgres_password.get_secret_value())"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "CDP_STATE_DIR": str(tmp_path / "state")},
            stdout=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    assert len({run.communicate()[0] for run in runs}) == 1
    assert len((tmp_path / "state" / "credentials.env").read_text().splitlines()) == 4


# The Postgres.


def test_local_postgres_is_named_with_its_password_where_libpq_reads_it() -> None:
    found = made(with_services="postgres", postgres_password="hidden", port_offset=100)  # noqa: S106
    assert found.postgres_dsn == "postgresql://cdp:hidden@127.0.0.1:5532/crm"
    assert found.postgres_environment() == {
        "PGHOST": "127.0.0.1",
        "PGPORT": "5532",
        "PGUSER": "cdp",
        "PGPASSWORD": "hidden",
        "PGDATABASE": "crm",
    }
    assert "export PGPASSWORD=hidden\n" in found.exports()
    # Every service inherits this one.
    assert "hidden" not in "".join(found.environment().values())


def test_postgres_of_somebody_else_comes_before_the_local_one() -> None:
    url = "postgresql://ann:a%40b@db.example/shop?sslmode=require&application_name=x"
    found = made(with_services="postgres", postgres_url=url, port_offset=100)
    assert not found.local_postgres
    assert found.postgres_dsn == url
    told = found.postgres_environment()
    assert (told["PGHOST"], told["PGPORT"], told["PGPASSWORD"]) == ("db.example", "5432", "a@b")
    assert told["PGSSLMODE"] == "require"
    assert len(told) == 6


def test_without_a_postgres_there_is_an_error_with_its_fix() -> None:
    assert made(postgres_password="hidden").postgres_environment() == {}  # noqa: S106
    with pytest.raises(CdpError, match="no Postgres is set") as error:
        _ = made(postgres_password="hidden").postgres_dsn  # noqa: S106
    assert "cdp up --with postgres" in error.value.fix


@pytest.mark.parametrize(
    "url",
    [
        "hidden",
        "mysql://u:hidden@h/d",
        "postgresql://u:hidden@h",
        "postgresql://u:x@hidden@h/d",
        "postgresql://u:x/hidden@h/d",
        "postgresql://u:p@h:hidden/d",
    ],
)
def test_wrong_address_of_a_postgres_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ValidationError, match="is not an address such as postgresql://") as error:
        made(postgres_url=url)
    assert "hidden" not in str(error.value)


def test_secrets_are_not_shown() -> None:
    names = ("s3_secret_key", "spark_token", "catalog_credential", "postgres_password")
    found = made(**{name: f"hidden-{name}" for name in names})
    assert found.spark_token.get_secret_value() == "hidden-spark_token"
    for shown in (
        repr(found),
        str(found),
        f"{found}",
        found.model_dump_json(),
        str(found.__dict__),
    ):
        assert "hidden" not in shown


def test_every_setting_that_holds_a_secret_hides_it() -> None:
    words = ("secret", "token", "credential", "password")
    for name in Settings.model_fields:
        if any(word in name for word in words) and not name.endswith("_dir"):
            assert type(getattr(made(), name)).__name__ == "SecretStr", name
