"""The Iceberg REST catalog, asked directly: what needs neither Spark nor Trino.

Source: the REST catalog specification, apache/iceberg open-api/rest-catalog-open-api.yaml.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import requests

from cdp.settings import Settings

SECONDS = 5.0
# A commit of many tables writes a metadata file for each.
COMMIT_SECONDS = 60.0
CONFLICT, NOT_FOUND = 409, 404
# What a catalog answers to a request that it does not know.
UNKNOWN = {404, 405, 406, 501}
TRANSACTION = "POST /v1/{prefix}/transactions/commit"


class MovedError(Exception):
    """A requirement of a commit did not hold: another client has written to the table."""


@dataclass(frozen=True)
class State:
    """A table as its catalog has it: where it is, the snapshots that its branches and tags name,
    all of them by id, and its properties."""

    name: str
    uuid: str
    location: str
    refs: dict[str, int]
    snapshots: dict[int, dict[str, Any]]
    properties: dict[str, str] = field(default_factory=dict)

    def head(self, ref: str = "main") -> int | None:
        """The snapshot that a branch or tag names, None when there is none such."""
        return self.refs.get(ref)

    def rows(self, snapshot: int | None) -> int:
        """The rows of the table as a snapshot has them."""
        if snapshot is None:
            return 0
        return int(self.snapshots[snapshot]["summary"].get("total-records", 0))


@dataclass(frozen=True)
class Change:
    """What a commit does to the refs of one table.

    expect: the snapshot that each ref must still name, None for a ref that must not be there.
    point: refs that are set, with their kind, snapshot and milliseconds to keep them (0: for ever).
    remove: refs that go.
    """

    state: State
    expect: dict[str, int | None] = field(default_factory=dict)
    point: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    remove: tuple[str, ...] = ()

    def json(self) -> dict[str, Any]:
        requirements: list[dict[str, Any]] = [
            {"type": "assert-table-uuid", "uuid": self.state.uuid}
        ]
        requirements += [
            {"type": "assert-ref-snapshot-id", "ref": ref, "snapshot-id": snapshot}
            for ref, snapshot in self.expect.items()
        ]
        updates: list[dict[str, Any]] = [
            {"action": "set-snapshot-ref", "ref-name": ref, "type": kind, "snapshot-id": snapshot}
            | ({"max-ref-age-ms": keep} if keep else {})
            for ref, (kind, snapshot, keep) in self.point.items()
        ]
        updates += [{"action": "remove-snapshot-ref", "ref-name": ref} for ref in self.remove]
        namespace, _, name = self.state.name.rpartition(".")
        return {
            "identifier": {"namespace": namespace.split("."), "name": name},
            "requirements": requirements,
            "updates": updates,
        }


class Catalog:
    """A session with the catalog. Raises requests' exceptions when it is away or refuses."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = f"{settings.catalog_url}/v1"

    @cached_property
    def _session(self) -> requests.Session:
        """Authorized by the OAuth2 client credentials flow; a catalog without credentials gives a
        token to anyone."""
        client_id, _, secret = self.settings.environment()["CDP_CATALOG_SECRET"].partition(":")
        session = requests.Session()
        token = session.post(
            f"{self.root}/oauth/tokens",
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
        return session

    @cached_property
    def _config(self) -> dict[str, Any]:
        return _json(
            self._session.get(
                f"{self.root}/config",
                params={"warehouse": self.settings.warehouse},
                timeout=SECONDS,
            )
        )

    def connect(self) -> None:
        """Have a token and the catalog's configuration, before threads ask for them at once."""
        _ = self._config

    @cached_property
    def has_transactions(self) -> bool:
        """Whether several tables can be committed to at once.

        A catalog lists what it can; one that has no list is asked for a transaction of nothing.
        """
        if "endpoints" in self._config:
            return TRANSACTION in self._config["endpoints"]
        answer = self._session.post(
            self._url("transactions/commit"), json={"table-changes": []}, timeout=SECONDS
        )
        return answer.status_code not in UNKNOWN

    def _url(self, path: str) -> str:
        told = self._config.get("defaults", {}) | self._config.get("overrides", {})
        return "/".join(filter(None, (self.root, told.get("prefix", ""), path)))

    def _get(self, path: str, **params: str) -> dict[str, Any]:
        return _json(self._session.get(self._url(path), params=params, timeout=SECONDS))

    def _post(self, path: str, body: dict[str, Any]) -> None:
        answer = self._session.post(self._url(path), json=body, timeout=COMMIT_SECONDS)
        if answer.status_code == CONFLICT:
            raise MovedError(answer.text)
        answer.raise_for_status()

    def _pages(self, path: str, key: str) -> Iterator[Any]:
        token = ""
        while True:
            page = self._get(path, **({"pageToken": token} if token else {}))
            yield from page[key]
            token = page.get("next-page-token") or ""
            if not token:
                return

    def namespaces(self) -> list[str]:
        return [".".join(levels) for levels in self._pages("namespaces", "namespaces")]

    def tables(self, namespace: str) -> list[str]:
        """The tables of a namespace, as `namespace.name`; none where it is not there."""
        try:
            found = list(self._pages(f"namespaces/{namespace}/tables", "identifiers"))
        except requests.HTTPError as error:
            if error.response.status_code == NOT_FOUND:
                return []
            raise
        return [f"{namespace}.{table['name']}" for table in found]

    def load(self, table: str) -> State | None:
        """A table, `namespace.name`; None when there is none."""
        namespace, _, name = table.rpartition(".")
        try:
            found = self._get(f"namespaces/{namespace}/tables/{name}")["metadata"]
        except requests.HTTPError as error:
            if error.response.status_code == NOT_FOUND:
                return None
            raise
        refs = {ref: int(told["snapshot-id"]) for ref, told in (found.get("refs") or {}).items()}
        current = found.get("current-snapshot-id")
        # Catalogs leave out the main branch of a table that has no other, and write -1 for none.
        if current not in {None, -1} and "main" not in refs:
            refs["main"] = int(current)
        snapshots = {int(s["snapshot-id"]): s for s in found.get("snapshots") or []}
        uuid, location = str(found["table-uuid"]), str(found["location"])
        return State(table, uuid, location, refs, snapshots, found.get("properties") or {})

    def drop(self, table: str) -> None:
        """Drop a table, and have its files deleted."""
        namespace, _, name = table.rpartition(".")
        answer = self._session.delete(
            self._url(f"namespaces/{namespace}/tables/{name}"),
            params={"purgeRequested": "true"},
            timeout=COMMIT_SECONDS,
        )
        if answer.status_code != NOT_FOUND:
            answer.raise_for_status()

    def commit(self, changes: Sequence[Change]) -> None:
        """Change the refs of tables: all in one request where the catalog has that, else one table
        after the other. Raises MovedError when a requirement does not hold; of several requests
        those before it are done."""
        if not changes:
            return
        if self.has_transactions:
            self._post("transactions/commit", {"table-changes": [c.json() for c in changes]})
            return
        for change in changes:
            namespace, _, name = change.state.name.rpartition(".")
            self._post(f"namespaces/{namespace}/tables/{name}", change.json())


def _json(answer: requests.Response) -> dict[str, Any]:
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
