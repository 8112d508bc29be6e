"""The Postgres that a source is captured from: the table, its publication and its slot."""

import time
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection

from cdp.capture import queries
from cdp.capture.fit import Fit, fit
from cdp.capture.pgoutput import Column, Relation
from cdp.errors import CdpError
from cdp.landing.source import Source
from cdp.settings import Settings

# Text as Postgres writes it, the same for every server, role and database.
FORMATS = (
    "-c timezone=UTC -c datestyle=ISO,YMD -c intervalstyle=postgres -c extra_float_digits=1 "
    # A query that a policy would hide rows from fails.
    "-c row_security=off "
    "-c bytea_output=hex -c statement_timeout=0 -c idle_in_transaction_session_timeout=0 "
    # A client whose machine has gone must not hold its lock and its slot.
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)
LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)
LOCK_WAIT = 3.0  # seconds for the server to notice that its holder has died


class Origin:
    """A source's table at its Postgres, seen on a connection that holds the capture's lock.

    Methods raise CdpError for what people must mend, and those of LOST when Postgres is away.
    """

    def __init__(self, source: Source, settings: Settings) -> None:
        self.source = source
        self.dsn = settings.postgres_dsn
        self.schema, self.table = source.location.split(".")
        name = f"cdp_{source.source}_{source.table}"
        # A name of Postgres has at most 63 bytes.
        digest = sha256(name.encode()).hexdigest()[:8]
        self.name = name if len(name) <= 63 else f"{name[:54]}_{digest}"
        self.options: dict[str, Any] = {
            "options": FORMATS,
            "application_name": f"cdp capture {source.full_name}"[:63],
            "client_encoding": "UTF8",
            "connect_timeout": 5,
            "keepalives_idle": 30,
        }
        self.again = f"cdp capture {source.full_name} --resnapshot"
        self._control: connection | None = None
        # The table's OID and kind, once prepared.
        self.oid = 0
        self.kind = ""

    def connect(self, *, alone: bool = True) -> None:
        """Connect, and take the lock. Raises CdpError when another capture holds it.

        alone: whether a lock is needed.
        """
        self.close()
        self._control = psycopg2.connect(self.dsn, **self.options)
        self._control.autocommit = True
        end = time.monotonic() + LOCK_WAIT
        while alone and not self.ask(queries.TAKE)[0][0]:
            if time.monotonic() > end:
                holders = self.holders()
                if not holders:
                    continue
                raise CdpError(
                    f"another capture of {self.source.full_name} runs, pid {holders[0]} of "
                    "Postgres",
                    "let it run, or end it first",
                )
            time.sleep(0.1)

    def holders(self) -> list[int]:
        """The processes of Postgres that hold the lock of a capture: one, or none."""
        return [pid for (pid,) in self.ask(queries.HOLDER)]

    @property
    def version(self) -> int:
        """Of the server, such as 180001."""
        return int(self._control.server_version) if self._control else 0

    def server(self) -> tuple[int, int]:
        """Which Postgres this is, and its timeline: a new one begins when a standby is promoted, or
        a backup restored."""
        system, timeline = self.ask(queries.SERVER)[0]
        return system, timeline

    def confirmed(self) -> int:
        """The LSN up to which all has landed, as the slot has it; 0 without a slot."""
        found = self.ask(queries.CONFIRMED)
        return int(found[0][0]) if found else 0

    def estimate(self) -> float:
        """How many rows Postgres believes the table to have; below 0 where it does not know."""
        return float(self.ask(queries.ESTIMATE, oid=self.oid)[0][0])

    def close(self) -> None:
        if self._control:
            self._control.close()
        self._control = None

    def ask(self, query: str | sql.Composed, **values: object) -> list[Any]:
        if self._control is None:
            raise psycopg2.InterfaceError("not connected")
        with self._control.cursor() as cursor:
            cursor.execute(query, {"name": self.name, **values})
            return cursor.fetchall() if cursor.description else []

    def prepare(self, *, anew: bool) -> None:
        """See that the table can be captured. anew: make its publication, in place of one of ours.

        Raises CdpError when it cannot.
        """
        if (level := self.ask("show wal_level")[0][0]) != "logical":
            raise CdpError(
                f"Postgres writes its log with wal_level {level}, which does not tell changes",
                "alter system set wal_level = logical, and restart Postgres",
            )
        self._find_table()
        if anew:
            self._publish()
            self.check_publication()

    def _find_table(self) -> None:
        found = self.ask(queries.TABLE, schema=self.schema, table=self.table)
        location = self.source.location
        if not found:
            raise CdpError(
                f"there is no table {location} at Postgres",
                f"correct location in sources/{self.source.source}_{self.source.table}.yml",
            )
        self.oid, self.kind, identity, persistence, has_key = found[0]
        if self.kind not in {"r", "p"} or persistence != "p":
            raise CdpError(
                f"{location} is no table whose changes are logged", "capture the table behind it"
            )
        if identity == "n" or (identity == "d" and not has_key):
            raise CdpError(
                f"{location} has no primary key and no replica identity: with a publication, "
                "Postgres would refuse its updates and deletes",
                f"alter table {location} replica identity full, or give it a primary key",
            )

    def _publish(self) -> None:
        """Make the publication. One that was made for us is used as it is."""
        name = sql.Identifier(self.name)
        if found := self.ask(queries.PUBLICATION):
            if not found[0][1]:
                return
            self.ask(sql.SQL("drop publication {}").format(name))
        # Stored ones are columns like any other; before 18 they cannot be sent.
        generated = ", publish_generated_columns = stored" if self.version >= 180000 else ""
        self.ask(
            sql.SQL("create publication {} for table {}{} with ({})").format(
                name,
                self.only,
                sql.Identifier(self.schema, self.table),
                sql.SQL(f"publish_via_partition_root = true{generated}"),
            )
        )

    def check_publication(self, slot: str = "") -> None:
        """See that the publication is there, whole, and that of a slot. Raises CdpError."""
        found = self.ask(queries.PUBLICATION)
        tables = self.ask(
            "select rowfilter from pg_publication_tables where pubname = %(name)s "
            "and schemaname = %(schema)s and tablename = %(table)s",
            schema=self.schema,
            table=self.table,
        )
        same = self.ask(queries.TABLE, schema=self.schema, table=self.table)
        if not found or not tables or not same or same[0][0] != self.oid:
            raise CdpError(
                f"publication {self.name} does not hold {self.source.location} any more: changes "
                "may be lost",
                self.again,
            )
        whole, ours, comment = found[0]
        if not whole or tables[0][0]:
            raise CdpError(
                f"publication {self.name} leaves out some inserts, updates, deletes or truncates",
                f"drop publication {self.name} at the source, then {self.again}",
            )
        if slot and ours and comment != slot:
            raise CdpError(
                f"slot or publication {self.name} is not the one that has landed "
                f"({comment or 'made anew'}, and not {slot}): changes may be lost",
                self.again,
            )

    @property
    def only(self) -> sql.SQL:
        """What stands before the table's name, so that tables which inherit from it are left out;
        the partitions of a partitioned table are the table."""
        return sql.SQL("only " if self.kind == "r" else "")

    def relation(self) -> Relation:
        """The table as it is now, with the columns that the publication sends."""
        columns = self.ask(queries.COLUMNS, oid=self.oid)
        return Relation(self.oid, self.schema, self.table, tuple(Column(*c) for c in columns))

    def unsent(self) -> dict[str, str]:
        """The table's columns that the publication does not send, each with why."""
        return dict(self.ask(queries.UNSENT, oid=self.oid, schema=self.schema, table=self.table))

    def fit(self, relation: Relation) -> Fit:
        """How the columns of the table, as a relation has them, fit the source. Raises CdpError."""
        types = self.types(c.type for c in relation.columns)
        return fit(self.source, relation, types, self.unsent())

    def identify(self, slot: str) -> None:
        """Have the publication say which slot it is for, if it is ours."""
        if self.ask(queries.PUBLICATION)[0][1]:
            comment = sql.SQL("comment on publication {} is {}")
            self.ask(comment.format(sql.Identifier(self.name), sql.Literal(slot)))

    def reader(self) -> connection:
        """A connection more."""
        opened: connection = psycopg2.connect(self.dsn, **self.options)
        return opened

    def types(self, oids: Iterable[int]) -> dict[int, str]:
        """The names of types; of a domain, that of the type below it."""
        asked = sorted(set(oids))
        found: dict[int, str] = dict(self.ask(queries.TYPES, oids=asked))
        return {oid: found.get(oid, f"a type that is gone ({oid})") for oid in asked}
