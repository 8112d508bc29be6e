"""The containers' health checks: `python docker/health.py PART…` asks each part a real question.

The questions are those of `cdp up`, put on loopback from inside the part's own container. Exit
code 0 when every part answered.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import requests

from cdp.settings import Settings
from cdp.spark import connect
from cdp.stack import probes


def master(_: Settings) -> str:
    """Have the master say that it leads."""
    status = _state("127.0.0.1", 8080)["status"]
    if status != "ALIVE":
        raise ConnectionError(f"the master is {status}")
    return "alive"


def worker(_: Settings) -> str:
    """Have the master say that this container's worker is alive."""
    own = _state("127.0.0.1", 8081)["id"]
    workers = _state(os.environ["CDP_SPARK_MASTER_HOST"], 8080)["workers"]
    if not any(w["id"] == own and w["state"] == "ALIVE" for w in workers):
        raise ConnectionError(f"the master knows no live {own}")
    return "known to the master"


def _state(host: str, port: int) -> dict[str, Any]:
    """What the page of a Spark daemon shows."""
    answer = requests.get(f"http://{host}:{port}/json/", timeout=probes.SECONDS)
    answer.raise_for_status()
    state: dict[str, Any] = answer.json()
    return state


def spark(settings: Settings) -> str:
    """Ask Spark Connect, and end the session: checks go on for months."""
    said = probes.spark(settings)
    connect(settings).stop()
    return said


CHECKS: dict[str, Callable[[Settings], str]] = {
    **probes.PROBES,
    "spark": spark,
    "spark-master": master,
    "spark-worker": worker,
}

if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, CHECKS[name](Settings()))
