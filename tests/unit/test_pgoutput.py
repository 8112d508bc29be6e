"""The messages of pgoutput, made by hand: what each comes to, and that broken ones are refused."""

import struct
from collections.abc import Sequence
from types import EllipsisType

import pytest

from cdp.capture.pgoutput import (
    Begin,
    Column,
    Commit,
    MalformedError,
    Relation,
    Truncate,
    decode,
)
from cdp.capture.rows import rows

Value = str | None | EllipsisType  # text, null, unchanged
OID = 4711
NAMES = ["id", "name", "big"]
# 2024-12-31 00:00:00 UTC, as Postgres and as Unix count microseconds.
MOMENT = 788_918_400_000_000
UNIX = 1_735_603_200_000_000


def row(*values: Value) -> bytes:
    """A row as the protocol has it."""
    parts = [struct.pack(">H", len(values))]
    for value in values:
        if value is None:
            parts.append(b"n")
        elif isinstance(value, str):
            text = value.encode()
            parts.append(b"t" + struct.pack(">I", len(text)) + text)
        else:
            parts.append(b"u")
    return b"".join(parts)


def insert(*values: Value) -> bytes:
    return b"I" + struct.pack(">I", OID) + b"N" + row(*values)


def update(*values: Value, old: Sequence[Value] = (), kind: bytes = b"K") -> bytes:
    before = kind + row(*old) if old else b""
    return b"U" + struct.pack(">I", OID) + before + b"N" + row(*values)


def delete(*values: Value, kind: bytes = b"K") -> bytes:
    return b"D" + struct.pack(">I", OID) + kind + row(*values)


def told(*messages: bytes) -> list[tuple[str, str | None, str | None, str | None, str | None]]:
    """What changes come to: (op, the three values, unchanged)."""
    found = rows(messages, NAMES, [0])
    columns = (found.ops, *found.columns, found.unchanged)
    return list(zip(*(c.to_pylist() for c in columns), strict=True))


# Messages that frame and describe.


def test_begin_and_commit_tell_lsn_and_time() -> None:
    assert decode(b"B" + struct.pack(">QqI", 0x1A2B3C8, MOMENT, 7)) == Begin(0x1A2B3C8, UNIX, 7)
    assert decode(b"C" + struct.pack(">BQQq", 0, 5, 9, MOMENT)) == Commit(5, 9)


def test_relation_tells_names_types_and_identity() -> None:
    name = "public\0Kunden Größe\0".encode()
    message = b"R" + struct.pack(">I", OID) + name + b"d" + struct.pack(">H", 2)
    message += b"\1id\0" + struct.pack(">Ii", 23, -1)
    message += b"\0" + "größe\0".encode() + struct.pack(">Ii", 25, -1)
    columns = (Column("id", 23, True), Column("größe", 25, False))
    assert decode(message) == Relation(OID, "public", "Kunden Größe", columns)


def test_truncate_tells_the_tables() -> None:
    assert decode(b"T" + struct.pack(">IBII", 2, 3, OID, 8)) == Truncate((OID, 8))


@pytest.mark.parametrize("message", [b"Y\0\0\0\1public\0mood\0", b"O" + bytes(8) + b"x\0"])
def test_types_and_origins_are_left_out(message: bytes) -> None:
    assert decode(message) is None


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"B",
        b"B" + bytes(19),
        b"C" + bytes(40),
        b"R" + struct.pack(">I", OID) + b"public",
        b"R" + struct.pack(">I", OID) + b"public\0t\0d\0\2\1id\0" + bytes(8),
        b"R" + struct.pack(">I", OID) + b"public\0t\0d\0\0more",
        b"T" + struct.pack(">IB", 2, 0) + bytes(4),
        b"S\0\0",  # of a later version of the protocol
        b"?",
    ],
)
def test_broken_message_is_refused(message: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(message)


# Changes.


def test_insert_keeps_null_and_empty_apart() -> None:
    assert told(insert("1", "", None)) == [("c", "1", "", None, None)]


def test_values_are_text_as_it_was_sent() -> None:
    text = 'Größe\n"x",\0\\N' * 50
    assert told(insert("1", text, "t"), insert("22", "a", "b")) == [
        ("c", "1", text, "t", None),
        ("c", "22", "a", "b", None),
    ]


def test_update_names_what_was_not_sent() -> None:
    assert told(update("1", "x", ...)) == [("u", "1", "x", None, '["big"]')]


def test_update_takes_what_was_not_sent_from_the_whole_old_row() -> None:
    message = update("1", "x", ..., old=["1", "w", "large"], kind=b"O")
    assert told(message) == [("u", "1", "x", "large", None)]


def test_changed_key_is_a_delete_and_an_update() -> None:
    found = rows([update("2", "x", "y", old=["1", None, None]), insert("3", "", "")], NAMES, [0])
    assert found.ops.to_pylist() == ["d", "u", "c"]
    assert found.columns[0].to_pylist() == ["1", "2", "3"]
    assert found.message.tolist() == [0, 0, 1]
    assert found.half.tolist() == [True, False, False]
    assert found.moved == 0


def test_changed_key_with_a_column_that_was_not_sent_is_counted() -> None:
    found = rows([update("2", "x", ..., old=["1", None, None])], NAMES, [0])
    assert found.unchanged.to_pylist() == [None, '["big"]']
    assert found.moved == 1


@pytest.mark.parametrize("kind", [b"K", b"O"])
def test_old_row_with_the_same_key_is_no_delete(kind: bytes) -> None:
    assert [op for op, *_ in told(update("1", "x", "y", old=["1", "w", "v"], kind=kind))] == ["u"]


def test_delete_has_the_key_or_the_whole_row() -> None:
    assert told(delete("1", None, None), delete("2", "x", "y", kind=b"O")) == [
        ("d", "1", None, None, None),
        ("d", "2", "x", "y", None),
    ]


def test_truncate_has_no_values_and_keeps_its_place() -> None:
    truncate = b"T" + struct.pack(">IBI", 1, 0, OID)
    found = told(insert("1", "a", "b"), truncate, delete("1", None, None), insert("2", "c", "d"))
    assert [op for op, *_ in found] == ["c", "t", "d", "c"]
    assert found[1] == ("t", None, None, None, None)


def test_no_changes_are_no_rows() -> None:
    assert told() == []


GOOD = [
    insert("1", "name", "x" * 300),
    update("1", None, ...),
    update("2", "a", "b", old=["1", None, None]),
    update("2", "a", "b", old=["2", "", "v"], kind=b"O"),
    delete("1", None, None),
]


@pytest.mark.parametrize("message", GOOD, ids=[chr(m[0]) for m in GOOD])
def test_change_that_is_cut_or_has_more_is_refused(message: bytes) -> None:
    rows([message], NAMES, [0])
    for broken in [message[:length] for length in range(1, len(message))] + [message + b"n"]:
        with pytest.raises(MalformedError):
            rows([broken], NAMES, [0])
        with pytest.raises(MalformedError):
            rows([insert("1", "a", "b"), broken, insert("1", "a", "b")], NAMES, [0])


@pytest.mark.parametrize(
    "message",
    [
        insert("1", "two"),
        insert("1", "two", "three", "four"),
        insert("1", "two", "three").replace(b"N", b"K", 1),
        delete("1", "two", "three").replace(b"K", b"N", 1),
        insert("1", "two", "three").replace(b"t", b"b", 1),
        b"X" + insert("1", "two", "three")[1:],
    ],
)
def test_change_of_another_shape_is_refused(message: bytes) -> None:
    with pytest.raises(MalformedError):
        rows([message], NAMES, [0])


def test_length_beyond_the_message_is_refused() -> None:
    message = insert("1", "two", "three").replace(struct.pack(">I", 5), b"\xff\xff\xff\xff")
    with pytest.raises(MalformedError):
        rows([message], NAMES, [0])


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(MalformedError, match="UTF8"):
        rows([insert("1", "two", "three").replace(b"two", b"\xff\xfe\xfd")], NAMES, [0])
