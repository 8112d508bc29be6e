"""The rows of inserts, updates and deletes, as `pgoutput` sends them, with values as text.

They are taken out of many messages at once, column by column: a value at a time would take longer
in Python than Postgres takes to send it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cdp.capture.pgoutput import DELETE, INSERT, TRUNCATE, UPDATE, MalformedError

NEW, KEY, OLD = b"NKO"
NULL, TEXT, UNCHANGED = b"ntu"

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """What changes come to. A change of the key is two rows: the old one's delete, and the new.

    message: of which message a row is, by index. half: whether it is the first of two.
    ops: `c`, `u`, `d` or `t`. columns: text, an array for each of the table's columns.
    unchanged: a JSON list of columns that were not sent, null without any.
    moved: rows whose key changed while a column was not sent, so that its value is not known.
    """

    message: Numbers
    half: npt.NDArray[np.bool_]
    ops: pa.Array
    columns: list[pa.Array]
    unchanged: pa.Array
    moved: int


@dataclass
class _Tuples:
    """Rows of messages: of each column its flags, where its text begins, and how long it is."""

    flags: list[Bytes]
    at: list[Numbers]
    size: list[Numbers]


def rows(messages: Sequence[bytes], names: Sequence[str], key: Sequence[int]) -> Rows:
    """The rows of changes and truncates.

    names: of the table's columns, as `unchanged` shall have them. key: which of them are the key.
    Raises MalformedError when a message is not a change of a table of so many columns.
    """
    try:
        return _rows(messages, names, key)
    except (IndexError, pa.ArrowInvalid) as error:
        raise MalformedError(f"a change that is not what the protocol says: {error}") from error


def _rows(messages: Sequence[bytes], names: Sequence[str], key: Sequence[int]) -> Rows:
    count = len(messages)
    data = b"".join(messages)
    buffer = np.frombuffer(data + bytes(8), np.uint8)
    lengths = np.fromiter(map(len, messages), np.int64, count)
    if count and int(lengths.min()) < 6:
        raise MalformedError("a change of less than 6 bytes")
    ends = np.cumsum(lengths)
    starts = ends - lengths
    kinds, marks = buffer[starts], buffer[starts + 5]
    truncates = kinds == TRUNCATE
    updates, deletes = kinds == UPDATE, kinds == DELETE
    has_new = (kinds == INSERT) | updates
    has_old = deletes | (updates & (marks != NEW))
    _check_marks(kinds, marks)

    olds, news = np.flatnonzero(has_old), np.flatnonzero(has_new)
    old, after = _walk(buffer, starts[olds] + 6, len(names))
    new_at = starts + 6
    two = updates[olds]  # of the messages with an old row, those that have a new one too
    new_at[olds[two]] = after[two] + 1
    _require(bool((after[~two] == ends[olds[~two]]).all()))
    _require(bool((buffer[after[two]] == NEW).all()))
    new, after = _walk(buffer, new_at[news], len(names))
    _require(bool((after == ends[news]).all()))

    old_index, new_index = np.zeros(count, np.int64), np.zeros(count, np.int64)
    old_index[olds] = np.arange(len(olds))
    new_index[news] = np.arange(len(news)) + len(olds)
    new_index[truncates] = len(olds) + len(news)  # a row of nulls stands there
    pairs_old, pairs_new = np.flatnonzero(two), new_index[olds[two]] - len(olds)
    changed = _key_changed(data, old, new, (pairs_old, pairs_new), key)
    _fill(old, new, pairs_old, pairs_new)

    tell_old = deletes.copy()
    tell_old[olds[two][changed]] = True
    tell_new = has_new | truncates
    each = tell_old.astype(np.int64) + tell_new
    message = np.repeat(np.arange(count), each)
    first = (np.cumsum(each) - each)[tell_old]
    is_old = np.zeros(len(message), np.bool_)
    is_old[first] = True
    index = np.where(is_old, old_index[message], new_index[message])

    columns, missing = [], []
    for k in range(len(names)):
        flags = np.concatenate([old.flags[k], new.flags[k], np.array([NULL], np.uint8)])[index]
        at = np.concatenate([old.at[k], new.at[k], np.zeros(1, np.int64)])[index]
        size = np.concatenate([old.size[k], new.size[k], np.zeros(1, np.int64)])[index]
        columns.append(_text(buffer, flags == TEXT, at, size))
        missing.append(flags == UNCHANGED)
    letters = np.zeros(256, np.uint8)
    letters[list(b"IUDT")] = list(b"cudt")
    half = is_old & updates[message]
    ops = np.where(half, np.uint8(ord("d")), letters[kinds[message]])
    lacking = np.any(missing, axis=0) if missing else np.zeros(len(message), np.bool_)
    # The second half of a change of the key stands right behind the first.
    return Rows(
        message,
        half,
        _text(ops, np.ones(len(ops), np.bool_), np.arange(len(ops)), np.ones(len(ops), np.int64)),
        columns,
        _lists(lacking, missing, names),
        int((lacking[1:] & half[:-1]).sum()),
    )


def _require(holds: bool) -> None:
    if not holds:
        raise MalformedError("a change whose values do not end where its message does")


def _check_marks(kinds: Bytes, marks: Bytes) -> None:
    allowed = {INSERT: (NEW,), UPDATE: (NEW, KEY, OLD), DELETE: (KEY, OLD)}
    good = kinds == TRUNCATE
    for kind, fitting in allowed.items():
        good |= (kinds == kind) & np.isin(marks, fitting)
    if not good.all():
        wrong = int(np.argmin(good))
        raise MalformedError(
            f"a change {chr(kinds[wrong])} with rows of kind {chr(marks[wrong])!r}"
        )


def _walk(buffer: Bytes, at: Numbers, columns: int) -> tuple[_Tuples, Numbers]:
    """Find the values of rows that begin at these places, and where each row ends."""
    found = _Tuples([], [], [])
    words = np.lib.stride_tricks.sliding_window_view(buffer, 4)
    wide = (buffer[at].astype(np.int64) << 8) | buffer[at + 1]
    if (wide != columns).any():
        other = int(wide[wide != columns][0])
        raise MalformedError(f"a row of {other} columns, of a table of {columns}")
    at = at + 2
    for _ in range(columns):
        flags = buffer[at]
        there = flags == TEXT
        if not (there | (flags == NULL) | (flags == UNCHANGED)).all():
            raise MalformedError("a value that is neither text nor null nor unchanged")
        size = words[np.minimum(at + 1, len(words) - 1)].view(">u4")[:, 0].astype(np.int64)
        size = np.where(there, size, 0)
        found.flags.append(flags)
        found.at.append(at + 5)
        found.size.append(size)
        at = at + 1 + np.where(there, size + 4, 0)
        _require(not len(at) or int(at.max()) < len(buffer))
    return found, at


def _key_changed(
    data: bytes, old: _Tuples, new: _Tuples, pairs: tuple[Numbers, Numbers], key: Sequence[int]
) -> npt.NDArray[np.bool_]:
    """Of updates that tell their old row, by index there and here: whether the key is another."""
    olds, news = pairs

    def values(of: _Tuples, rows: Numbers, k: int) -> list[bytes | None]:
        columns = (of.flags[k][rows].tolist(), of.at[k][rows].tolist(), of.size[k][rows].tolist())
        return [data[a : a + s] if f == TEXT else None for f, a, s in zip(*columns, strict=True)]

    changed = np.zeros(len(olds), np.bool_)
    for k in key if len(olds) else ():
        told = new.flags[k][news] != UNCHANGED
        both = zip(values(old, olds, k), values(new, news, k), strict=True)
        changed |= told & np.fromiter((a != b for a, b in both), np.bool_, len(olds))
    return changed


def _fill(old: _Tuples, new: _Tuples, olds: Numbers, news: Numbers) -> None:
    """Take from the old row what the new one does not repeat."""
    for k in range(len(new.flags)):
        take = (new.flags[k][news] == UNCHANGED) & (old.flags[k][olds] == TEXT)
        if take.any():
            into, source = news[take], olds[take]
            for theirs, ours in ((old.flags, new.flags), (old.at, new.at), (old.size, new.size)):
                ours[k][into] = theirs[k][source]


def _text(buffer: Bytes, there: npt.NDArray[np.bool_], at: Numbers, size: Numbers) -> pa.Array:
    """An Arrow array of the texts at these places; null where there is none."""
    size = np.where(there, size, 0)
    offsets = np.zeros(len(at) + 1, np.int64)
    np.cumsum(size, out=offsets[1:])
    total = int(offsets[-1])
    values = buffer[np.repeat(at - offsets[:-1], size) + np.arange(total)]
    bitmap = None if there.all() else pa.py_buffer(np.packbits(there, bitorder="little"))
    found = pa.LargeStringArray.from_buffers(
        len(at), pa.py_buffer(offsets), pa.py_buffer(values), bitmap
    ).cast(pa.string())
    found.validate(full=True)  # a database in SQL_ASCII may send bytes that are no text
    return found


def _lists(
    lacking: npt.NDArray[np.bool_], missing: list[npt.NDArray[np.bool_]], names: Sequence[str]
) -> pa.Array:
    told: list[str | None] = [None] * len(lacking)
    for row in np.flatnonzero(lacking).tolist():
        told[row] = json.dumps([n for n, m in zip(names, missing, strict=True) if m[row]])
    return pa.array(told, pa.string())
