"""MLflow's client for the registry: set up so that it asks nobody else, and its errors in a line.

Nothing but `connect` imports MLflow, which takes seconds.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from filelock import FileLock

from cdp.errors import CdpError
from cdp.settings import SQLITE, Settings

Result = TypeVar("Result")
# Read by MLflow when it is imported, or at each request.
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",  # of 1 it knows nothing
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # what fails is raised as well
    # A server that is away is said to be after seconds, not minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
ABSENT = "RESOURCE_DOES_NOT_EXIST"


def connect(settings: Settings) -> Any:  # noqa: ANN401 - MLflow's client, untyped here
    """Return a client of the registry that the settings name; a file is made if there is none.

    Raises CdpError when MLflow is not installed, or the file cannot be made.
    """
    os.environ.update(ENVIRONMENT)
    try:
        library = import_module("mlflow")
    except ModuleNotFoundError as error:
        raise CdpError(
            "the libraries of models are not installed", "make install-models"
        ) from error
    uri = settings.registry_uri
    with explained(settings):
        if path := settings.registry_file:
            _prepare(path, settings.bucket)
        else:
            uri = _without_credentials(uri)
        return library.MlflowClient(tracking_uri=uri, registry_uri=uri)


def _without_credentials(uri: str) -> str:
    """The address alone: what is in its place goes into messages. MLflow finds the rest in the
    environment."""
    parts = urlsplit(uri)
    if parts.username:
        os.environ["MLFLOW_TRACKING_USERNAME"] = unquote(parts.username)
        os.environ["MLFLOW_TRACKING_PASSWORD"] = unquote(parts.password or "")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _prepare(path: Path, bucket: str) -> None:
    """Make the tables of a new file aside: what was killed in their middle would stay half made."""
    if path.exists():
        # What is no such file is refused at once: MLflow would try it for minutes.
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as opened:
            opened.execute("select count(*) from registered_models")
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        if path.exists():
            return
        aside = path.with_name(path.name + ".new")
        aside.unlink(missing_ok=True)
        store = import_module("mlflow.store.tracking.sqlalchemy_store").SqlAlchemyStore
        # Where runs of others would keep their files; MLflow's default is the working directory.
        store(f"{SQLITE}{aside}", f"s3://{bucket}/models/runs").engine.dispose()
        aside.chmod(0o600)
        aside.rename(path)


@contextmanager
def explained(settings: Settings) -> Iterator[None]:
    """Turns what MLflow raises into one line with the fix."""
    failures = (
        import_module("mlflow.exceptions").MlflowException,
        import_module("sqlalchemy.exc").SQLAlchemyError,
        sqlite3.Error,
        OSError,
    )
    try:
        yield
    except failures as error:
        uri = settings.registry_uri
        where = uri if settings.registry_file else _without_credentials(uri)
        lines = str(error).splitlines()
        words = lines[0][:300] if lines else repr(error)
        if "failed with exception" in words or "failed with timeout" in words:
            raise CdpError(
                f"the registry of models at {where} does not answer", "start it, or CDP_MLFLOW_URI"
            ) from error
        raise CdpError(
            f"the registry of models at {where} does not do it: {words}",
            "see to it, or set CDP_MLFLOW_URI to another",
        ) from error


def found(ask: Callable[[], Result]) -> Result | None:
    """What MLflow has; None when it has no such thing."""
    try:
        return ask()
    except import_module("mlflow.exceptions").MlflowException as error:
        if getattr(error, "error_code", "") == ABSENT:
            return None
        raise


def pages(search: Callable[..., Any], condition: str | None = None) -> list[Any]:
    """All that a search of MLflow finds, page after page."""
    gathered: list[Any] = []
    token = None
    while True:
        page = search(filter_string=condition, page_token=token)
        gathered += page
        token = page.token
        if not token:
            return gathered
