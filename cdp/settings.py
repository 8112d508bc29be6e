"""Every setting of the project, once.

A value comes from, in this order: the environment (`CDP_…`), the `.env` file at the root, what
`cdp up --with` recorded, the credentials made for this checkout, the default here.
`.env.example` lists what people change. Tools that are not ours (dbt, Soda, Spark, Trino) read
the environment that `environment()` derives; `cdp env` prints it.
"""

import fcntl
import os
import secrets
import shlex
from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import ByteSize, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cdp import OPTIONAL_SERVICES
from cdp.errors import CdpError

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
# SQLAlchemy takes a path with three slashes before it; one of its own comes after.
SQLITE = "sqlite:///"


def _user_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "cdp-lakehouse"


class Settings(BaseSettings):
    """The typed settings. Ports are those of loopback; sizes are as Java and Spark write them."""

    model_config = SettingsConfigDict(
        env_prefix="CDP_", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    # Where things are kept.
    state_dir: Path = ROOT / ".cdp"
    cache_dir: Path = Field(default_factory=_user_cache)
    # In containers: a file for each secret, such as cdp_s3_secret_key.
    secrets_dir: Path | None = None
    java_home_spark: Path | None = None
    java_home_trino: Path | None = None
    sources_dir: Path = ROOT / "sources"
    contracts_dir: Path = ROOT / "contracts"
    problems_dir: Path = ROOT / "problems"

    # How commands say what they do: lines for people, or JSON lines with the run that they are of.
    log_format: Literal["text", "json"] = "text"

    # Where OpenLineage events go: a folder, to whose files lines are added, or the address of an
    # endpoint. Empty: nowhere.
    lineage: str = ""

    # Local services. An endpoint set below is a service of others: it is not started here.
    with_services: Annotated[tuple[str, ...], NoDecode] = ()
    port_offset: int = Field(default=0, ge=0, le=20_000)
    spark_driver_memory: str = "1g"
    spark_java_options: str = ""
    # Queries of a lake whose tables all have fewer rows are interpreted, by one task a stage.
    spark_compile_rows: int = Field(default=100_000, ge=0)
    spark_worker_memory: str = "1g"
    trino_memory: str = "768m"
    # Queries run outside the JVM, by DataFusion Comet, with memory of their own.
    spark_native: bool = False
    spark_native_memory: str = "1g"
    # Archives of loaded classes in the cache, which make starts quicker.
    class_archives: bool = True
    start_timeout: int = Field(default=120, description="seconds that `cdp up` waits for a service")

    # The object store.
    s3_endpoint: str = ""
    s3_region: str = "us-east-1"
    s3_access_key: str = ""
    s3_secret_key: SecretStr = SecretStr("")
    bucket: str = "lake"

    # The Iceberg REST catalog. The credential is `client id:client secret`, as OAuth2 has it.
    catalog_uri: str = ""
    catalog_warehouse: str = ""
    catalog_credential: SecretStr = SecretStr("")

    # Spark and Trino.
    spark_profile: Literal["local", "cluster"] = "local"
    spark_master: str = ""
    spark_remote: str = ""
    spark_token: SecretStr = SecretStr("")
    trino_url: str = ""
    trino_user: str = "analyst"

    # The Postgres whose tables are captured. The password is that of the local one.
    postgres_url: SecretStr = SecretStr("")
    postgres_password: SecretStr = SecretStr("")
    capture_wal_warn: ByteSize = Field(
        default=ByteSize(1_000_000_000),
        description="bytes of write-ahead log held back for a slot that `cdp status` warns of",
    )

    # dbt.
    dbt_target: Literal["local", "ci", "cluster"] = "local"
    dbt_threads: int = Field(default=4, ge=1)
    feature_every_days: int = Field(default=1, ge=1)

    # Write, audit, publish: how many days a run's branches are kept that were not published, and
    # what a publish left, to go back to.
    run_keep_days: int = Field(default=7, ge=1)
    publish_keep_days: int = Field(default=30, ge=1)

    # The registry of models: the address of an MLflow server, which may bear a password, or
    # `sqlite:///` with a path. Empty: a file of this checkout.
    mlflow_uri: SecretStr = SecretStr("")

    # Airflow: how often a task is tried again, and the seconds before the first time; the seconds
    # after which a run is late.
    task_retries: int = Field(default=2, ge=0)
    task_retry_seconds: int = Field(default=60, ge=1)
    hourly_deadline_seconds: int = Field(default=55 * 60, ge=1)
    daily_deadline_seconds: int = Field(default=6 * 3600, ge=1)

    # Alerts, beside the file that they always go to. Both addresses may bear secrets.
    alert_webhook: SecretStr = SecretStr("")
    alert_smtp: SecretStr = SecretStr("")
    alert_email_from: str = ""
    alert_email_to: Annotated[tuple[str, ...], NoDecode] = ()
    alert_repeat_hours: int = Field(default=24, ge=1)

    @field_validator("with_services", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        names = [n.strip() for n in value.split(",")] if isinstance(value, str) else value
        chosen = tuple(n for n in names if n) if isinstance(names, list | tuple) else names
        if isinstance(chosen, tuple) and (unknown := set(chosen) - set(OPTIONAL_SERVICES)):
            raise ValueError(
                f"unknown service {', '.join(sorted(unknown))}: "
                f"the optional ones are {', '.join(OPTIONAL_SERVICES)}"
            )
        return chosen

    @field_validator("alert_email_to", mode="before")
    @classmethod
    def _receivers(cls, value: object) -> object:
        return tuple(n.strip() for n in value.split(",")) if isinstance(value, str) else value

    @field_validator("alert_webhook", "alert_smtp")
    @classmethod
    def _address(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        """The message never quotes the value."""
        schemes = {"smtp", "smtps"} if info.field_name == "alert_smtp" else {"http", "https"}
        if url := value.get_secret_value():
            parts = urlsplit(url)
            if parts.scheme not in schemes or not parts.hostname:
                raise ValueError(f"it is not an address such as {min(schemes)}://host:port")
        return value

    @field_validator("mlflow_uri")
    @classmethod
    def _registry(cls, value: SecretStr) -> SecretStr:
        """The message never quotes the value."""
        if url := value.get_secret_value():
            parts = urlsplit(url)
            is_server = parts.scheme in {"http", "https"} and parts.hostname
            if not is_server and not url.startswith(f"{SQLITE}/"):
                raise ValueError("it is neither https://host:port nor sqlite:////a/path")
        return value

    @field_validator("lineage")
    @classmethod
    def _sink(cls, value: str) -> str:
        if "://" not in value:
            folder = Path(value).expanduser().resolve()
            if folder.is_file():
                raise ValueError(f"{folder} is a file; each sender writes one in a folder")
            return str(folder) if value else ""
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(
                f"{value!r} is neither a folder nor an address such as http://host:5000"
            )
        return value.rstrip("/")

    @field_validator("s3_endpoint", "catalog_uri", "trino_url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"http", "https"}:
            raise ValueError(f"{value!r} is not an address such as https://host:port")
        return value.rstrip("/")

    @field_validator("postgres_url")
    @classmethod
    def _dsn(cls, value: SecretStr) -> SecretStr:
        """The message never quotes the value. What is not encoded could stray from the password
        into the host or port, and from there into the messages of libpq."""
        if url := value.get_secret_value():
            parts = urlsplit(url)
            try:
                good = parts.scheme in {"postgresql", "postgres"} and (parts.port or 1) > 0
            except ValueError:
                good = False
            if not (good and parts.hostname and parts.path[1:]) or parts.netloc.count("@") > 1:
                raise ValueError(
                    "it is not an address such as postgresql://user:password@host:5432/database, "
                    "with what is special in the password percent-encoded"
                )
        return value

    @field_validator("state_dir", "cache_dir", "sources_dir", "contracts_dir", "problems_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    def port(self, base: int) -> int:
        """The loopback port for a service whose usual port is `base`."""
        return base + self.port_offset

    def _local(self, base: int) -> str:
        return f"http://{HOST}:{self.port(base)}"

    @property
    def spark_extras(self) -> tuple[str, ...]:
        """What Spark has beside its base: groups of `artifacts/`, and files of `spark_conf/`."""
        asked = {"lineage": bool(self.lineage), "native": self.spark_native}
        return tuple(name for name, is_on in asked.items() if is_on)

    @property
    def store_url(self) -> str:
        return self.s3_endpoint or self._local(8333)

    @property
    def catalog_url(self) -> str:
        local = 8182 if "rest-catalog" in self.with_services else 8181
        return self.catalog_uri or self._local(local)

    @property
    def warehouse(self) -> str:
        return self.catalog_warehouse or "s3://warehouse"

    @property
    def spark_url(self) -> str:
        """Spark Connect. The host must be spelled localhost: only there does the client send its
        token without TLS."""
        return self.spark_remote or f"sc://localhost:{self.port(15002)}"

    @property
    def master(self) -> str:
        if self.spark_master or "spark-cluster" not in self.with_services:
            return self.spark_master or "local[*]"
        return f"spark://{HOST}:{self.port(7077)}"

    @property
    def trino_address(self) -> str:
        return self.trino_url or self._local(8080)

    @property
    def local_postgres(self) -> bool:
        """Whether the Postgres is one that is started here."""
        return "postgres" in self.with_services and not self.postgres_url.get_secret_value()

    @property
    def has_postgres(self) -> bool:
        return self.local_postgres or bool(self.postgres_url.get_secret_value())

    @property
    def postgres_dsn(self) -> str:
        """Where the Postgres is, as libpq reads it, with its password.

        Raises CdpError when there is none.
        """
        if url := self.postgres_url.get_secret_value():
            return url
        if not self.local_postgres:
            raise CdpError("no Postgres is set", "cdp up --with postgres, or set CDP_POSTGRES_URL")
        password = self.postgres_password.get_secret_value()
        return f"postgresql://cdp:{password}@{HOST}:{self.port(5432)}/crm"

    @property
    def registry_uri(self) -> str:
        """Where MLflow keeps the versions of models, with what secrets it bears."""
        local = self.state_dir / "registry" / "mlflow.db"
        return self.mlflow_uri.get_secret_value() or f"{SQLITE}{local}"

    @property
    def registry_file(self) -> Path | None:
        """The file of the registry; None where it is on a server."""
        uri = self.registry_uri
        return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None

    @property
    def artifacts_dir(self) -> Path:
        return self.cache_dir / "artifacts"

    def environment(self) -> dict[str, str]:
        """The variables that dbt, Soda, Spark, Trino and the AWS SDKs read, secrets included."""
        secret = self.s3_secret_key.get_secret_value()
        credential = self.catalog_credential.get_secret_value()
        trino = urlsplit(self.trino_address)
        return {
            "CDP_STATE_DIR": str(self.state_dir),
            "CDP_BUCKET": self.bucket,
            "CDP_S3_ENDPOINT_URL": self.store_url,
            "CDP_S3_REGION": self.s3_region,
            "CDP_CATALOG_URL": self.catalog_url,
            "CDP_WAREHOUSE": self.warehouse,
            "CDP_CATALOG_SECRET": credential or f"{self.s3_access_key}:{secret}",
            "CDP_TRINO_HOST": trino.hostname or HOST,
            "CDP_TRINO_PORT": str(trino.port or (443 if trino.scheme == "https" else 80)),
            "CDP_TRINO_MEMORY": self.trino_memory,
            "CDP_DBT_TARGET": self.dbt_target,
            "CDP_DBT_THREADS": str(self.dbt_threads),
            "CDP_FEATURE_EVERY_DAYS": str(self.feature_every_days),
            "AWS_ACCESS_KEY_ID": self.s3_access_key,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_REGION": self.s3_region,
            "SPARK_REMOTE": self.spark_url,
            "SPARK_CONNECT_AUTHENTICATE_TOKEN": self.spark_token.get_secret_value(),
            "DBT_PROFILES_DIR": str(ROOT),
            "DBT_PROJECT_DIR": str(ROOT),
            # Nothing phones home.
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            "DO_NOT_TRACK": "1",
            "SODA_CORE_TELEMETRY_ENABLED": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            # MLflow's own commands find the files of models there.
            "MLFLOW_S3_ENDPOINT_URL": self.store_url,
            # dbt-spark asks for Hive support at every statement; Spark Connect, which takes no
            # static setting, would warn each time.
            "PYTHONWARNINGS": "ignore:Failed to set spark.sql.catalogImplementation:UserWarning",
            "TZ": "UTC",
        }

    def postgres_environment(self) -> dict[str, str]:
        """What psql and others that use libpq read; empty without a Postgres.

        Not part of `environment`, which every service inherits.
        """
        if not self.has_postgres:
            return {}
        parts = urlsplit(self.postgres_dsn)
        told = {
            "PGHOST": unquote(parts.hostname or ""),
            "PGPORT": str(parts.port or 5432),
            "PGUSER": unquote(parts.username or ""),
            "PGPASSWORD": unquote(parts.password or ""),
            "PGDATABASE": unquote(parts.path[1:]),
        }
        for name, value in parse_qsl(parts.query):
            if name in {"sslmode", "sslrootcert", "sslcert", "sslkey"}:
                told["PG" + name.upper()] = value
        return {name: value for name, value in told.items() if value}

    def exports(self) -> str:
        """Both environments as lines for a shell."""
        both = self.environment() | self.postgres_environment()
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in both.items())


def _credentials(state_dir: Path) -> Path:
    """Make this checkout's credentials, once, readable by its owner only.

    A file of before gets what it lacks. The lock is on the file itself: of two first commands the
    second finds what the first has written.
    """
    path = state_dir / "credentials.env"
    if path.exists() and not _missing(path.read_text()):
        return path
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        lines = "".join(f"{name}={value}\n" for name, value in _missing(text).items())
        file.write("\n" + lines if text and not text.endswith("\n") else lines)
    return path


def _missing(text: str) -> dict[str, str]:
    """New values for the credentials that the file does not have."""
    there = {line.partition("=")[0] for line in text.splitlines()}
    made = {
        "CDP_S3_ACCESS_KEY": "cdp" + secrets.token_hex(8),
        "CDP_S3_SECRET_KEY": secrets.token_hex(20),
        "CDP_SPARK_TOKEN": secrets.token_hex(20),
        "CDP_POSTGRES_PASSWORD": secrets.token_hex(20),
    }
    return {name: value for name, value in made.items() if name not in there}


def stack_file(state_dir: Path) -> Path:
    """Where `cdp up --with` keeps its choice, so that later commands agree with it."""
    return state_dir / "stack.env"


@cache
def settings() -> Settings:
    """The settings of this checkout; credentials are made at the first call.

    Where secrets are files, none are made: what is missing is missing.
    """
    told = Settings(_env_file=ROOT / ".env")  # type: ignore[call-arg]
    if told.secrets_dir:
        return Settings(_env_file=ROOT / ".env", _secrets_dir=told.secrets_dir)  # type: ignore[call-arg]
    state_dir = told.state_dir
    files = (_credentials(state_dir), stack_file(state_dir), ROOT / ".env")
    return Settings(_env_file=files)  # type: ignore[call-arg]
