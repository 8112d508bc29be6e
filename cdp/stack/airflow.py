"""A local Airflow: its four processes, its settings, and what they need before they start.

It has an environment of its own, `.venv-airflow`, since its pins and dbt's do not go together.
"""

import hashlib
import json
import os
import secrets
import shutil
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from pathlib import Path

from cdp import transform
from cdp.errors import CdpError
from cdp.lineage import names, transport
from cdp.settings import HOST, ROOT, Settings
from cdp.stack.service import Service

HOME = ROOT / "orchestration"
EXECUTABLE = ROOT / ".venv-airflow" / "bin" / "airflow"
LOCK = ROOT / "requirements" / "airflow.txt"
USER = "admin"
# Where its events go: a file of its own, since supervisor's configuration takes no quotes.
LINEAGE = "openlineage.yml"
# What Airflow keeps secret, each in a file that its owner alone may read.
SECRETS: dict[str, Callable[[], str]] = {
    "core.fernet_key": lambda: urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "api.secret_key": lambda: secrets.token_hex(32),
    "api_auth.jwt_secret": lambda: secrets.token_hex(32),
}


# What its database needs before anything starts; containers have it in docker/airflow/init.sh.
PREPARATION = (
    ("db", "migrate"),
    ("pools", "set", "lakehouse", "1", "one writer of tables at a time"),
)


def folder(settings: Settings) -> Path:
    return settings.state_dir / "airflow"


def address(settings: Settings) -> str:
    return f"http://{HOST}:{settings.port(8085)}"


def passwords(settings: Settings) -> Path:
    """The file of the users' passwords, which only its owner can read."""
    return folder(settings) / "passwords.json"


def environment(settings: Settings) -> dict[str, str]:
    """Airflow's settings, as variables."""
    home = folder(settings)
    told = {
        "core.dags_folder": str(HOME / "dags"),
        "core.load_examples": "False",
        "core.executor": "LocalExecutor",
        # A task is a process of some 150 MB, and what it runs is the work.
        "core.parallelism": "3",
        "core.execution_api_server_url": f"{address(settings)}/execution/",
        "core.simple_auth_manager_users": f"{USER}:admin",
        "core.simple_auth_manager_passwords_file": str(passwords(settings)),
        "core.default_timezone": "utc",
        "database.sql_alchemy_conn": f"sqlite:///{home}/airflow.db",
        "api.host": HOST,
        "api.port": str(settings.port(8085)),
        "api.base_url": address(settings),
        "api.workers": "1",
        "dag_processor.parsing_processes": "1",
        # Seconds: a reading of the files takes a core for as many, and they change by hand.
        "dag_processor.min_file_process_interval": "300",
        "logging.base_log_folder": str(home / "logs"),
        # Nothing phones home.
        "usage_data_collection.enabled": "False",
        "cosmos.enable_telemetry": "False",
        "openlineage.disabled": str(not settings.lineage),
    }
    if settings.lineage:
        told |= {
            "openlineage.namespace": names.AIRFLOW,
            "openlineage.config_path": str(home / LINEAGE),
            # The DAGs are in the project, and its tasks' code is `cdp`.
            "openlineage.disable_source_code": "True",
        }
    told |= {f"{name}_cmd": f"cat {home / name}" for name in SECRETS}
    variables = {f"AIRFLOW__{n.replace('.', '__').upper()}": v for n, v in told.items()}
    return variables | {
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": str(HOME),
        "CDP_MANIFEST": str(home / "manifest.json"),
        "CDP_TASK_RETRIES": str(settings.task_retries),
        "CDP_TASK_RETRY_SECONDS": str(settings.task_retry_seconds),
        "CDP_HOURLY_DEADLINE_SECONDS": str(settings.hourly_deadline_seconds),
        "CDP_DAILY_DEADLINE_SECONDS": str(settings.daily_deadline_seconds),
        # Whether there is anything for the daily DAG to capture.
        "CDP_CAPTURES": str(settings.has_postgres).lower(),
    }


def services(settings: Settings) -> list[Service]:
    """The API with the pages, the scheduler with its workers, the reader of DAGs, the triggerer."""

    def service(name: str, command: Sequence[str], **ports: int) -> Service:
        return Service(
            f"airflow-{name}",
            (str(EXECUTABLE), *command),
            folder(settings),
            ports,
            environment(settings),
            stop_seconds=30,
        )

    return [
        service("api", ["api-server"], HTTP=settings.port(8085)),
        # Logs are read from files: nothing has to serve them, on whatever address.
        service("scheduler", ["scheduler", "--skip-serve-logs"]),
        service("dags", ["dag-processor"]),
        service("triggerer", ["triggerer", "--skip-serve-logs"]),
    ]


def prepare(settings: Settings, report: Callable[[str], None]) -> None:
    """Secrets, the database, the pool, and dbt's manifest, which the DAGs are made from.

    Raises CdpError when Airflow is not installed or its database cannot be made.
    """
    if not EXECUTABLE.exists():
        raise CdpError("Airflow is not installed", "make airflow")
    home = folder(settings)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, make in SECRETS.items():
        _write_once(home / name, make())
    _write_once(passwords(settings), json.dumps({USER: secrets.token_urlsafe(16)}))
    _write(home / LINEAGE, json.dumps(transport.of_python(names.AIRFLOW, settings)))
    transform.parse([], settings, writes=True)
    shutil.copy(transform.manifest_path(), home / "manifest.json")
    migrated = home / "migrated"
    version = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not migrated.exists() or migrated.read_text() != version:
        report("making Airflow's database")
        for arguments in PREPARATION:
            run(arguments, settings)
        migrated.write_text(version)


def _write(path: Path, text: str) -> None:
    """Write what its owner alone may read."""
    path.touch(mode=0o600)
    path.write_text(text)


def _write_once(path: Path, text: str) -> None:
    if not path.exists():
        _write(path, text)


def run(arguments: Sequence[str], settings: Settings) -> None:
    """Run a command of Airflow's. Raises CdpError with the last that it said."""
    done = subprocess.run(
        [str(EXECUTABLE), *arguments],
        env=os.environ | environment(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise CdpError(
            f"airflow {arguments[0]} failed: {said[-1] if said else done.returncode}",
            "cdp logs airflow-scheduler; make airflow",
        )
