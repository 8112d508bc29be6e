"""Whether a service answers: a real question to each, as a client would put it.

A probe returns what it learned (a version, usually) or raises; nothing it does is left behind.
"""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import requests

from cdp.catalog import Catalog
from cdp.errors import CdpError
from cdp.settings import HOST, Settings

SECONDS = 5.0
# The first answer of the exporter reads every table that it reports.
COLD_SECONDS = 30.0
Probe = Callable[[Settings], str]
FORMATS = "org.apache.iceberg.formats.FormatModelRegistry"


class UnfitError(CdpError):
    """A part answers and is not as it must be: waiting does not help."""


def store(settings: Settings) -> str:
    """Put, read and delete an object in the bucket."""
    from cdp import objects

    listening(settings.store_url)
    client = objects.client(settings)
    key = ".probe"
    client.put_object(Bucket=settings.bucket, Key=key, Body=b"up")
    client.get_object(Bucket=settings.bucket, Key=key)["Body"].read()
    client.delete_object(Bucket=settings.bucket, Key=key)
    return "read and wrote an object"


def catalog(settings: Settings) -> str:
    """Get a token, and list the namespaces with it."""
    return f"{len(Catalog(settings).namespaces())} namespaces"


def listening(address: str) -> None:
    """Fail at once, and cheaply, when nothing listens at scheme://host:port."""
    url = urlsplit(address)
    host = HOST if url.hostname == "localhost" else url.hostname or HOST
    port = url.port or {"https": 443, "sc": 15002}.get(url.scheme, 80)
    with socket.create_connection((host, port), timeout=SECONDS):
        pass


def require(name: str, address: str) -> None:
    """Raises CdpError when nothing listens at the address of an engine."""
    try:
        listening(address)
    except OSError as error:
        raise CdpError(f"{name} does not answer at {address}", "cdp up") from error


def spark(settings: Settings) -> str:
    """Have Spark answer a query and name its version."""
    from cdp.spark import connect

    listening(settings.spark_url)
    session = connect(settings)
    session.sql("show namespaces in lake").collect()
    # A task that is interrupted while Iceberg initializes this class leaves it broken for good.
    session.sql(
        "select try_reflect('java.lang.Class', 'forName', :name)", {"name": FORMATS}
    ).collect()
    return f"Spark {session.version}"


def trino(settings: Settings) -> str:
    """Have Trino look into the catalog, and read from a table where there is one."""
    from cdp.trino import query

    listening(settings.trino_address)
    # Trino accepts a query while it starts, and keeps it waiting; do not wait with it.
    info = requests.get(f"{settings.trino_address}/v1/info", timeout=SECONDS).json()
    if info["starting"]:
        raise ConnectionError("starting")
    # The coordinator answers about schemas by itself. Only a scan with rows shows that it knows a
    # node which holds the catalog, for want of which it turns queries away in its first seconds.
    tables = query(
        "select table_schema, table_name from lake.information_schema.tables "
        "where table_schema not in ('information_schema', 'system') limit 20",
        settings,
    )
    for row in tables.rows:
        table = ".".join(f'"{name}"' for name in row)
        sql = f"select 1 from lake.{table} limit 1"  # noqa: S608 - the catalog's own names
        if query(sql, settings).rows:
            break
    return f"Trino {info['nodeVersion']['version']}"


def trino_worker(settings: Settings) -> str:
    """Have Trino's coordinator name a worker that is active."""
    from cdp.trino import query

    active = query(
        "select node_id from system.runtime.nodes where not coordinator and state = 'active'",
        settings,
    )
    if not active.rows:
        raise ConnectionError("the coordinator knows no worker")
    return f"Trino's worker {active.rows[0][0]}"


def spark_master(settings: Settings) -> str:
    """Have the master name two live workers."""
    answer = requests.get(f"http://{HOST}:{settings.port(7080)}/json/", timeout=SECONDS).json()
    if answer["aliveworkers"] < 2:
        raise ConnectionError(f"{answer['aliveworkers']} of 2 workers are there")
    return "2 workers"


def postgres(settings: Settings) -> str:
    """Have Postgres name its version, and say that its log can be captured."""
    from cdp.postgres import connect

    with connect(settings) as connection, connection.cursor() as cursor:
        cursor.execute("select current_setting('server_version'), current_setting('wal_level')")
        ((version, level),) = cursor.fetchall()
    if level != "logical":
        raise UnfitError(
            f"Postgres answers, but its wal_level is {level}: its changes cannot be captured",
            "alter system set wal_level = logical, and restart that Postgres",
        )
    return f"Postgres {version.split()[0]}"


def airflow(settings: Settings) -> str:
    """Have Airflow's API say that all its parts are alive."""
    from cdp.stack.airflow import address

    told = requests.get(f"{address(settings)}/api/v2/monitor/health", timeout=SECONDS).json()
    ill = [name for name, part in told.items() if part["status"] != "healthy"]
    if ill:
        raise ConnectionError(f"not healthy: {', '.join(ill)}")
    version = requests.get(f"{address(settings)}/api/v2/version", timeout=SECONDS).json()
    return f"Airflow {version['version']}"


def metrics(settings: Settings) -> str:
    """Have the exporter tell what it can."""
    from cdp.stack.metrics import address

    answer = requests.get(address(settings), timeout=COLD_SECONDS)
    answer.raise_for_status()
    return f"{sum(not line.startswith('#') for line in answer.text.splitlines())} samples"


PROBES: dict[str, Probe] = {
    "store": store,
    "catalog": catalog,
    "spark-master": spark_master,
    "spark": spark,
    "trino": trino,
    "trino-worker": trino_worker,
    "postgres": postgres,
    "airflow": airflow,
    "metrics": metrics,
}
