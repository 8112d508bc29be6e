"""The Iceberg REST catalog, asked directly: the few questions that need neither Spark nor Trino."""

from typing import Any

import requests

from cdp.settings import Settings

SECONDS = 5.0


def get(settings: Settings, path: str) -> dict[str, Any]:
    """The answer to GET v1/{prefix}/path, as the REST catalog specification has it.

    Raises requests' exceptions when the catalog is away or refuses.
    """
    client_id, _, secret = settings.environment()["CDP_CATALOG_SECRET"].partition(":")
    root = f"{settings.catalog_url}/v1"
    with requests.Session() as session:
        # The OAuth2 client credentials flow; a catalog without credentials gives a token to anyone.
        token = session.post(
            f"{root}/oauth/tokens",
            data={
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": secret,
                "scope": "catalog",
            },
            timeout=SECONDS,
        )
        token.raise_for_status()
        session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        config = _json(session, f"{root}/config", {"warehouse": settings.warehouse})
        prefix = (config.get("defaults", {}) | config.get("overrides", {})).get("prefix", "")
        return _json(session, "/".join(filter(None, (root, prefix, path))), {})


def _json(session: requests.Session, url: str, params: dict[str, str]) -> dict[str, Any]:
    answer = session.get(url, params=params, timeout=SECONDS)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def load_table(settings: Settings, namespace: str, table: str) -> dict[str, Any]:
    """A table's `metadata` and its location, as the catalog returns them."""
    return get(settings, f"namespaces/{namespace}/tables/{table}")
