"""Whether a service answers: a real question to each, as a client would put it.

A probe returns what it learned (a version, usually) or raises; nothing it does is left behind.
"""

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import requests

from cdp.settings import HOST, Settings

SECONDS = 5.0
Probe = Callable[[Settings], str]


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
    headers = catalog_headers(settings)
    prefix = catalog_prefix(settings, headers)
    url = f"{settings.catalog_url}/v1/{prefix}namespaces"
    answer = requests.get(url, headers=headers, timeout=SECONDS)
    answer.raise_for_status()
    return f"{len(answer.json()['namespaces'])} namespaces"


def catalog_headers(settings: Settings) -> dict[str, str]:
    """The authorization of a catalog request, by OAuth2 client credentials."""
    client_id, _, secret = settings.environment()["CDP_CATALOG_SECRET"].partition(":")
    answer = requests.post(
        f"{settings.catalog_url}/v1/oauth/tokens",
        data={
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": secret,
            "scope": "catalog",
        },
        timeout=SECONDS,
    )
    answer.raise_for_status()
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def catalog_prefix(settings: Settings, headers: dict[str, str]) -> str:
    """The path prefix that the catalog asks for, with a slash behind it, or nothing."""
    answer = requests.get(
        f"{settings.catalog_url}/v1/config",
        params={"warehouse": settings.warehouse},
        headers=headers,
        timeout=SECONDS,
    )
    answer.raise_for_status()
    config = answer.json()
    prefix = (config.get("defaults", {}) | config.get("overrides", {})).get("prefix", "")
    return f"{prefix}/" if prefix else ""


def listening(address: str) -> None:
    """Fail at once, and cheaply, when nothing listens at scheme://host:port."""
    url = urlsplit(address)
    host = HOST if url.hostname == "localhost" else url.hostname or HOST
    port = url.port or (443 if url.scheme == "https" else 80)
    with socket.create_connection((host, port), timeout=SECONDS):
        pass


def spark(settings: Settings) -> str:
    """Have Spark answer a query and name its version."""
    from cdp.spark import connect

    listening(settings.spark_url)
    session = connect(settings)
    session.sql("show namespaces in lake").collect()
    return f"Spark {session.version}"


def trino(settings: Settings) -> str:
    """Have Trino list the catalog's schemas."""
    from cdp.trino import query

    listening(settings.trino_address)
    # Trino accepts a query while it starts, and keeps it waiting; do not wait with it.
    info = requests.get(f"{settings.trino_address}/v1/info", timeout=SECONDS).json()
    if info["starting"]:
        raise ConnectionError("starting")
    query("show schemas from lake", settings)
    return f"Trino {info['nodeVersion']['version']}"


def spark_master(settings: Settings) -> str:
    """Have the master name two live workers."""
    answer = requests.get(f"http://{HOST}:{settings.port(7080)}/json/", timeout=SECONDS).json()
    if answer["aliveworkers"] < 2:
        raise ConnectionError(f"{answer['aliveworkers']} of 2 workers are there")
    return "2 workers"


PROBES: dict[str, Probe] = {
    "store": store,
    "catalog": catalog,
    "spark-master": spark_master,
    "spark": spark,
    "trino": trino,
}
