"""The one setting, CDP_LINEAGE, in the words of each client of OpenLineage."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cdp.lineage.names import SPARK
from cdp.settings import Settings

# Where endpoints take events, when the address does not say.
ENDPOINT = "api/v1/lineage"
# A listener that is slow is not waited for longer: events are sent while work is done.
SECONDS = 2


def is_folder(settings: Settings) -> bool:
    return "://" not in settings.lineage


def file_of(who: str, settings: Settings) -> Path:
    """The file of those who tell events, in a folder that is there. Each has its own: lines of
    several, longer than what one write takes, would be mixed."""
    folder = Path(settings.lineage)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{who}.jsonl"


def address(settings: Settings) -> tuple[str, str]:
    """The server of an endpoint, and the path at it."""
    parts = urlsplit(settings.lineage)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return f"{parts.scheme}://{parts.netloc}", path.lstrip("/") or ENDPOINT


def of_python(who: str, settings: Settings) -> dict[str, Any]:
    """The configuration of the Python client. who: whose events they are."""
    if not settings.lineage:
        return {"transport": {"type": "noop"}}
    if is_folder(settings):
        path = str(file_of(who, settings))
        transport: dict[str, Any] = {"type": "file", "log_file_path": path, "append": True}
    else:
        server, path = address(settings)
        transport = {"type": "http", "url": server, "endpoint": path}
        transport |= {"timeout": SECONDS, "retry": {"total": 0}}
    # The address of a checkout's origin may hold a secret.
    return {"transport": transport, "facets": {"source_code_location": {"disabled": True}}}


def of_spark(settings: Settings) -> dict[str, str]:
    """What spark_conf/lineage.conf asks for."""
    if not settings.lineage:
        return {}
    if is_folder(settings):
        path = str(file_of(SPARK, settings))
        told = {"TYPE": "file", "FILE": path, "SERVER": "", "ENDPOINT": ""}
    else:
        server, path = address(settings)
        told = {"TYPE": "http", "FILE": "", "SERVER": server, "ENDPOINT": path}
    told["NAMESPACE"] = SPARK
    return {f"CDP_LINEAGE_{name}": value for name, value in told.items()}
