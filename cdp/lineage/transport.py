"""The one setting, CDP_LINEAGE, in the words of each client of OpenLineage."""

from typing import Any
from urllib.parse import urlsplit

from cdp.settings import Settings

# Where endpoints take events, when the address does not say.
ENDPOINT = "api/v1/lineage"
# A listener that is slow is not waited for longer: events are told while work is done.
SECONDS = 2


def is_file(settings: Settings) -> bool:
    return "://" not in settings.lineage


def address(settings: Settings) -> tuple[str, str]:
    """The server of an endpoint, and the path at it."""
    parts = urlsplit(settings.lineage)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return f"{parts.scheme}://{parts.netloc}", path.lstrip("/") or ENDPOINT


def of_python(settings: Settings) -> dict[str, Any]:
    """The transport of the Python client: of dbt's events, and of Airflow's."""
    if is_file(settings):
        return {"type": "file", "log_file_path": settings.lineage, "append": True}
    server, path = address(settings)
    return {
        "type": "http",
        "url": server,
        "endpoint": path,
        "timeout": SECONDS,
        "retry": {"total": 0},
    }


def client(settings: Settings) -> dict[str, Any]:
    """The configuration of the Python client."""
    if not settings.lineage:
        return {"transport": {"type": "noop"}}
    # The address of a checkout's origin may hold a secret.
    facets = {"source_code_location": {"disabled": True}}
    return {"transport": of_python(settings), "facets": facets}


def of_spark(settings: Settings) -> dict[str, str]:
    """What spark_conf/lineage.conf asks for."""
    if is_file(settings):
        told = {"TYPE": "file", "FILE": settings.lineage, "SERVER": "", "ENDPOINT": ""}
    else:
        server, path = address(settings)
        told = {"TYPE": "http", "FILE": "", "SERVER": server, "ENDPOINT": path}
    return {f"CDP_LINEAGE_{name}": value for name, value in told.items()}
