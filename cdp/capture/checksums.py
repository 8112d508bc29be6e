"""Checksums of a table at Postgres and of what has landed of it, by ranges of the keys' hashes.

Both sides make the same text of a row: each value as Postgres writes it, with its length before it,
a dash for null. A range's checksum is the sum of 60 bits of its rows' MD5.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2 import sql

from cdp.capture.fit import Fit
from cdp.capture.pgoutput import Relation
from cdp.spark import quoted

if TYPE_CHECKING:
    from psycopg2.extensions import connection
    from pyspark.sql import DataFrame, SparkSession

# A range of the keys' hashes, its rows and their checksum.
Sums = dict[str, tuple[int, int]]
ROWS_A_RANGE = 4_000
MOST_DIGITS = 4


@dataclass(frozen=True)
class Row:
    """A row as the comparison has it. range: of its key's hash. key: the texts of its key."""

    range: str
    key: tuple[str, ...]
    checksum: str

    @property
    def place(self) -> tuple[str, tuple[bytes, ...]]:
        """Where the row stands in the order that both sides give."""
        return self.range, tuple(k.encode() for k in self.key)


def digits(rows: float) -> int:
    """How many hexadecimal digits of a hash tell its range, of a table with so many rows."""
    found = 1
    while found < MOST_DIGITS and rows / 16**found > ROWS_A_RANGE:
        found += 1
    return found


class AtPostgres:
    """The table as one transaction of Postgres sees it."""

    def __init__(
        self,
        reader: "connection",
        relation: Relation,
        only: sql.SQL,
        key: Sequence[int],
        width: int,
    ) -> None:
        self._reader = reader
        self._key = list(key)
        texts = sql.SQL(", ").join(
            # A cast to text is not what Postgres sends: of a boolean it is true, and not t.
            sql.SQL("case when {0} is not null then concat({0}) end as {1}").format(
                sql.Identifier(column.name), sql.Identifier(f"v{i}")
            )
            for i, column in enumerate(relation.columns)
        )
        table = sql.Identifier(relation.schema, relation.name)
        values = [sql.Identifier(f"v{i}") for i in range(len(relation.columns))]
        # `offset 0` keeps Postgres from making each text twice.
        self._hashed = sql.SQL(
            "select {keys}, md5(convert_to({row}, 'UTF8')) as checksum, "
            "substr(md5(convert_to({name}, 'UTF8')), 1, {width}) as bucket "
            "from (select {texts} from {only}{table} offset 0) as texts"
        ).format(
            keys=sql.SQL(", ").join(values[i] for i in self._key),
            row=_concatenated(values),
            name=_concatenated([values[i] for i in self._key]),
            width=sql.Literal(width),
            texts=texts,
            only=only,
            table=table,
        )

    def sums(self) -> Sums:
        """The rows and the checksum of each range."""
        with self._reader.cursor() as cursor:
            cursor.execute(
                sql.SQL(
                    "select bucket, count(*), "
                    "sum(('x' || substr(checksum, 1, 15))::bit(60)::bigint) "
                    "from ({}) as hashed group by bucket"
                ).format(self._hashed)
            )
            return {bucket: (rows, int(total)) for bucket, rows, total in cursor}

    def rows(self, ranges: Sequence[str]) -> Iterator[Row]:
        """The rows of ranges, in order."""
        keys = [sql.Identifier(f"v{i}") for i in self._key]
        order = sql.SQL(", ").join(sql.SQL('{} collate "C"').format(k) for k in keys)
        with self._reader.cursor("verify") as cursor:
            cursor.itersize = 10_000
            cursor.execute(
                sql.SQL(
                    "select bucket, checksum, {} from ({}) as hashed where bucket = any({}) "
                    'order by bucket collate "C", {}'
                ).format(sql.SQL(", ").join(keys), self._hashed, sql.Literal(list(ranges)), order)
            )
            for bucket, checksum, *key in cursor:
                yield Row(bucket, tuple(key), checksum)


def _concatenated(values: Sequence[sql.Identifier]) -> sql.Composed:
    return sql.SQL(" || ").join(
        sql.SQL("coalesce(length({0}) || ':' || {0}, '-')").format(v) for v in values
    )


class AtLake:
    """The table as what has landed tells it, up to an LSN."""

    def __init__(
        self, session: "SparkSession", table: str, found: Fit, lsn: int, width: int
    ) -> None:
        self._session = session
        self._width = width
        self._names = [f"v{i}" for i in range(len(found.names))]
        self._key = [self._names[i] for i in found.key]
        self._latest = self._at(table, found, lsn)

    def _at(self, table: str, found: Fit, lsn: int) -> str:
        """The query for the latest row of each key, with its values as v0, v1, …"""
        there = {c.lower() for c in self._session.table(table).columns}
        place = "struct(_lsn, _source_row)"
        keys = [quoted(found.names[i]) for i in found.key]
        latest = []
        for i, name in enumerate(found.names):
            if i in found.key:
                value = quoted(name)
            elif name.lower() in there:
                # Of a large value that was not sent, the one before it.
                sent = f"not coalesce(array_contains(unsent, '{_literal(name)}'), false)"
                value = f"max_by({quoted(name)}, if({sent}, {place}, null))"
            else:
                value = "cast(null as string)"
            latest.append(f"{value} as v{i}")
        return f"""
            with told as (
                select *, from_json(_unchanged, 'array<string>') as unsent
                from {table}
                where _op is not null and (_lsn < {lsn} or _lsn = {lsn} and _source_row <= 0)
            ),
            begun as (
                select max({place}) as place from told where _op = 't'
            )
            select {", ".join(latest)}
            from told cross join begun
            where begun.place is null or {place} > begun.place
            group by {", ".join(keys)}
            having max_by(_op, {place}) <> 'd'
        """  # noqa: S608 - of names of columns, quoted

    def _hashed(self) -> "DataFrame":
        def text(names: Sequence[str]) -> str:
            parts = (f"coalesce(concat(length({n}), ':', {n}), '-')" for n in names)
            return f"concat({', '.join(parts)})"

        return self._session.sql(
            f"select {', '.join(self._key)}, md5({text(self._names)}) as checksum, "  # noqa: S608
            f"substr(md5({text(self._key)}), 1, {self._width}) as bucket from ({self._latest})"
        )

    def sums(self) -> Sums:
        """The rows and the checksum of each range."""
        found = self._hashed().selectExpr(
            "bucket", "cast(conv(substr(checksum, 1, 15), 16, 10) as decimal(20, 0)) as bits"
        )
        rows = found.groupBy("bucket").agg({"*": "count", "bits": "sum"}).collect()
        return {row["bucket"]: (row["count(1)"], int(row["sum(bits)"])) for row in rows}

    def rows(self, ranges: Sequence[str]) -> Iterator[Row]:
        """The rows of ranges, in order."""
        from pyspark.sql import functions as f

        found = self._hashed().where(f.col("bucket").isin(list(ranges)))
        for row in found.orderBy("bucket", *self._key).toLocalIterator():
            yield Row(row["bucket"], tuple(row[k] for k in self._key), row["checksum"])


def _literal(name: str) -> str:
    return name.replace("\\", "\\\\").replace("'", "\\'")


def differing(origin: Iterator[Row], lake: Iterator[Row]) -> Iterator[tuple[str, Row]]:
    """What differs between two sides that are in the same order, one row at a time: `missing` in
    the lake, `extra` there, or `different`; with the row that says so."""
    ours, theirs = next(lake, None), next(origin, None)
    while ours or theirs:
        if theirs is None or (ours and ours.place < theirs.place):
            assert ours  # noqa: S101
            yield "extra", ours
            ours = next(lake, None)
        elif ours is None or theirs.place < ours.place:
            yield "missing", theirs
            theirs = next(origin, None)
        else:
            if ours.checksum != theirs.checksum:
                yield "different", theirs
            ours, theirs = next(lake, None), next(origin, None)


def unequal(one: Sums, other: Sums) -> list[str]:
    """The ranges in which two sides differ."""
    return sorted(r for r in one.keys() | other.keys() if one.get(r) != other.get(r))
