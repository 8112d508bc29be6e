"""The containers' health checks: `python docker/health.py PART…` asks each part a real question.

The questions are those of `cdp up`, put on loopback from inside the part's own container. Exit
code 0 when every part answered.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

import requests

from cdp.landing.source import select
from cdp.settings import Settings, settings
from cdp.spark import connect
from cdp.stack import probes

Check = Callable[[Settings], str]


def on_loopback(probe: Check) -> Check:
    """Ask the part in this container, before others are led to it."""
    here = dict.fromkeys(("s3_endpoint", "catalog_uri", "spark_remote", "trino_url"), "")
    return lambda told: probe(told.model_copy(update=here))


def spark(told: Settings) -> str:
    """Ask Spark Connect, and end the session: checks go on for months."""
    said = probes.spark(told)
    connect(told).stop()
    return said


def spark_master(_: Settings) -> str:
    """Have the master say that it leads."""
    status = _state("http://127.0.0.1:8080/json/")["status"]
    if status != "ALIVE":
        raise ConnectionError(f"the master is {status}")
    return "alive"


def spark_worker(_: Settings) -> str:
    """Have the master say that this container's worker is alive."""
    own = _state("http://127.0.0.1:8081/json/")["id"]
    workers = _state("http://spark-master:8080/json/")["workers"]
    if not any(w["id"] == own and w["state"] == "ALIVE" for w in workers):
        raise ConnectionError(f"the master knows no live {own}")
    return "known to the master"


def trino_worker(told: Settings) -> str:
    """Have this container's worker be up, and the coordinator know a worker."""
    if _state("http://127.0.0.1:8080/v1/info")["starting"]:
        raise ConnectionError("starting")
    return probes.trino_worker(told)


def airflow_api(_: Settings) -> str:
    """Have Airflow's API say that it has its database. The other parts have checks of their own."""
    status = _state("http://127.0.0.1:8085/api/v2/monitor/health")["metadatabase"]["status"]
    if status != "healthy":
        raise ConnectionError(f"its database is {status}")
    return status


def capture(told: Settings) -> str:
    """Have Postgres say that somebody reads the slot of each captured source."""
    from cdp.capture import runner, slots

    wanted = len(runner.choose(select(None, told.sources_dir), None))
    active = [slot.name for slot in slots.slots(told) if slot.active]
    if len(active) < wanted:
        raise ConnectionError(f"{len(active)} of {wanted} slots are read")
    return ", ".join(active)


def reach(told: Settings) -> str:
    """Ask all that a command needs, at its address."""
    asked = (probes.store, probes.catalog, spark, probes.trino)
    return ", ".join(probe(told) for probe in asked)


def _state(address: str) -> dict[str, Any]:
    """What a part tells of itself."""
    answer = requests.get(address, timeout=probes.SECONDS)
    answer.raise_for_status()
    state: dict[str, Any] = answer.json()
    return state


CHECKS: dict[str, Check] = {
    "store": on_loopback(probes.store),
    "catalog": on_loopback(probes.catalog),
    "spark": on_loopback(spark),
    "spark-master": spark_master,
    "spark-worker": spark_worker,
    "trino": on_loopback(probes.trino),
    "trino-worker": trino_worker,
    "airflow-api": airflow_api,
    "capture": capture,
    "reach": reach,
}

if __name__ == "__main__":
    os.environ.update(settings().environment())
    for name in sys.argv[1:]:
        print(name, CHECKS[name](settings()))
