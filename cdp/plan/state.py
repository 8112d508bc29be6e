"""What is known of what is published: facts about snapshots, kept as objects of the bucket.

A fact stays true whatever happens later, so a state that is old or lost costs work, and no rows.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from cdp import objects
from cdp.plan.fingerprint import FORMAT
from cdp.plan.graph import Graph
from cdp.publish.journal import Move
from cdp.publish.patience import patiently
from cdp.settings import Settings

KEY = "published/state.json"


@dataclass(frozen=True)
class Batches:
    """What has been loaded of a source: its raw table, the last batch, and when (UTC, ISO 8601) the
    last batch that has rows was landed; empty where none has."""

    table: str
    last: int
    landed_at: str = ""


@dataclass(frozen=True)
class Fact:
    """What is known of a node. None is a snapshot of a table that has none.

    snapshot: main of its table, None for a test. read: main of the tables that it has read.
    batches: of each source that it reads, the last one that was loaded then.
    """

    checksum: str
    snapshot: int | None = None
    read: Mapping[str, int | None] = field(default_factory=dict)
    batches: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """What was read of the tables of records, and the snapshot at which: no need to read again what
    has not moved. journal: the snapshot at which no publish was interrupted."""

    at: int | None = None
    batches: Mapping[str, Batches] = field(default_factory=dict)
    journal: int | None = None


@dataclass(frozen=True)
class Known:
    """The state. facts: by dbt's unique id. contracts: the hash with which a table passed.

    publish, published_at: the last publish, and its moment (UTC, ISO 8601).
    """

    fingerprint: str = ""
    graph: Graph = field(default_factory=Graph)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    contracts: Mapping[str, str] = field(default_factory=dict)
    seen: Seen = Seen()
    publish: int = 0
    published_at: str = ""

    @property
    def published(self) -> str:
        """The last publish, for people."""
        if not self.publish:
            return "the last run"
        moment = datetime.fromisoformat(self.published_at)
        return f"publish {self.publish} ({moment:%Y-%m-%d %H:%M} UTC)"


@dataclass(frozen=True)
class Built:
    """What a run has built and tested on its branches.

    ran: the facts of its nodes, without snapshots. reads: the tables that each of them reads.
    tables: the table of each, where it has one. contracts: the hash of each that has passed.
    is_planned: whether a plan chose what ran.
    """

    ran: Mapping[str, Fact]
    reads: Mapping[str, Sequence[str]]
    tables: Mapping[str, str]
    contracts: Mapping[str, str] = field(default_factory=dict)
    is_planned: bool = False

    def facts(self, moves: Iterable[Move]) -> dict[str, Fact]:
        """The facts, once main of every table is where the run has come to."""
        heads = {m.table: m.new for m in moves}
        return {
            node: replace(
                fact,
                snapshot=heads.get(self.tables.get(node, "")),
                read={table: heads.get(table) for table in self.reads[node]},
            )
            for node, fact in self.ran.items()
        }


class States:
    """The objects of the bucket."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Any = None

    @property
    def _s3(self) -> Any:  # noqa: ANN401 - boto3's own class
        if self._client is None:
            self._client = objects.client(self._settings)
        return self._client

    def load(self) -> Known:
        """The state; an empty one where there is none, or one that is of another version.

        Raises boto3's errors when the store is away.
        """
        given = self._read(KEY)
        if not given or given.get("format") != FORMAT:
            return Known()
        try:
            return self._known(given)
        except (KeyError, TypeError):
            # Not as this version writes it: it is made again.
            return Known()

    def _known(self, given: Mapping[str, Any]) -> Known:
        seen = given["seen"]
        batches = {name: Batches(**each) for name, each in seen["batches"].items()}
        return Known(
            given["fingerprint"],
            Graph.of_json(given["graph"]),
            {name: Fact(**each) for name, each in given["facts"].items()},
            given["contracts"],
            Seen(seen["at"], batches, seen["journal"]),
            given["publish"],
            given["published_at"],
        )

    def keep(self, known: Known) -> None:
        """Write the state, whole."""
        self._write(KEY, {"format": FORMAT} | asdict(known))

    def keep_built(self, run_id: str, built: Built) -> None:
        """Keep what a run has built, until it is published."""
        self._write(_of_run(run_id), asdict(built))

    def built(self, run_id: str) -> Built | None:
        """What a run has built; None when that is not known."""
        given = self._read(_of_run(run_id))
        if not given:
            return None
        ran = {name: Fact(**each) for name, each in given["ran"].items()}
        return Built(ran, given["reads"], given["tables"], given["contracts"], given["is_planned"])

    def published(
        self, run_id: str, number: int, moves: Iterable[Move], journal: int | None
    ) -> None:
        """Take what a run has built into the state: main of its tables is where it has come to.

        number: of its publish, 0 when nothing had changed. journal: the snapshot of the journal.
        """
        known, built = patiently(self.load), patiently(lambda: self.built(run_id))
        if number:
            moment = datetime.now(UTC).isoformat(timespec="seconds")
            known = replace(known, publish=number, published_at=moment)
        if built:
            facts = {**known.facts, **built.facts(moves)}
            contracts = {**known.contracts, **built.contracts}
            known = replace(known, facts=facts, contracts=contracts)
        self.keep(replace(known, seen=replace(known.seen, journal=journal)))
        self.forget(run_id)

    def forget(self, run_id: str) -> None:
        """Remove what a run has built: it is published, or will not be."""
        patiently(lambda: self._s3.delete_object(Bucket=self._settings.bucket, Key=_of_run(run_id)))

    def _read(self, key: str) -> Any:  # noqa: ANN401 - JSON
        try:
            found = self._s3.get_object(Bucket=self._settings.bucket, Key=key)
            return json.loads(found["Body"].read())
        except objects.FAILURES as error:
            if objects.is_error(error, "NoSuchKey", "404"):
                return None
            raise
        except ValueError:
            # It is not ours, or was damaged: it is written again.
            return None

    def _write(self, key: str, given: Any) -> None:  # noqa: ANN401 - JSON
        body = json.dumps(given, separators=(",", ":")).encode()
        patiently(lambda: self._s3.put_object(Bucket=self._settings.bucket, Key=key, Body=body))


def _of_run(run_id: str) -> str:
    return f"published/runs/{run_id}.json"
