"""The messages of Postgres' `pgoutput` plugin, protocol version 1, that frame and describe changes.

Those that hold rows: cdp/capture/rows.py.
"""

import struct
from dataclasses import dataclass
from typing import NamedTuple

BEGIN, COMMIT, RELATION, TRUNCATE = b"BCRT"
INSERT, UPDATE, DELETE = b"IUD"
UNUSED = frozenset(b"YOM")  # the names of types, where it came from, messages of applications
NEW = ord("N")  # before the row that a change leaves

EPOCH = 946_684_800_000_000  # 2000-01-01 in microseconds of Unix time; Postgres counts from there


class MalformedError(ValueError):
    """A message that is not what the protocol says."""


class Begin(NamedTuple):
    """lsn: of the commit to come. committed_at: microseconds of Unix time. xid: the transaction."""

    lsn: int
    committed_at: int
    xid: int


class Commit(NamedTuple):
    """lsn: as in Begin. end: where the next record begins, the LSN to confirm."""

    lsn: int
    end: int


class Column(NamedTuple):
    """type: the OID. identity: whether it identifies an old row."""

    name: str
    type: int
    identity: bool


@dataclass(frozen=True)
class Relation:
    """A table as it was at the changes that follow."""

    oid: int
    schema: str
    name: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class Truncate:
    oids: tuple[int, ...]


def decode(message: bytes) -> Begin | Commit | Relation | Truncate | None:
    """A message that is not of a row; None for one that is not needed. Raises MalformedError."""
    kind = message[0] if message else 0
    try:
        if kind == BEGIN:
            lsn, moment, xid = struct.unpack(">QqI", message[1:])
            return Begin(lsn, moment + EPOCH, xid)
        if kind == COMMIT:
            _, lsn, end, _ = struct.unpack(">BQQq", message[1:])
            return Commit(lsn, end)
        if kind == RELATION:
            return _relation(message)
        if kind == TRUNCATE:
            count, _ = struct.unpack_from(">IB", message, 1)
            return Truncate(struct.unpack(f">{count}I", message[6:]))
    except (struct.error, ValueError) as error:
        raise MalformedError(f"a message {chr(kind)} of {len(message)} bytes: {error}") from error
    if kind in UNUSED:
        return None
    raise MalformedError(f"a message that begins with {message[:1]!r}")


def _relation(message: bytes) -> Relation:
    (oid,) = struct.unpack_from(">I", message, 1)
    schema, at = _string(message, 5)
    name, at = _string(message, at)
    _, count = struct.unpack_from(">BH", message, at)
    at += 3
    columns = []
    for _ in range(count):
        (flags,) = struct.unpack_from(">B", message, at)
        column, at = _string(message, at + 1)
        type_oid, _ = struct.unpack_from(">Ii", message, at)
        at += 8
        columns.append(Column(column, type_oid, bool(flags & 1)))
    if at != len(message):
        raise ValueError(f"{len(message) - at} bytes too many")
    return Relation(oid, schema, name, tuple(columns))


def _string(message: bytes, at: int) -> tuple[str, int]:
    end = message.index(b"\0", at)
    return message[at:end].decode(), end + 1


def steps(message: bytes) -> int:
    """By how many the numbering of a transaction's changes goes on with a change.

    Two with an old row, whether its delete is written or not, so that it depends on the log alone.
    """
    return 2 if message[0] == UPDATE and message[5] != NEW else 1
