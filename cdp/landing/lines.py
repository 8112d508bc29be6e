"""Cuts the text of objects into lines, for a parser that takes those of many at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BOM = b"\xef\xbb\xbf"
WHITESPACE = b" \t\r\n\v\f"


@dataclass(frozen=True)
class Text:
    """A piece of an object's text, whole lines, and the number of its first line, from 1."""

    data: bytes
    first_line: int = 1


@dataclass(frozen=True)
class Rejected:
    """A line that cannot be landed: which text it was of, its number, itself and why."""

    part: int
    number: int
    text: str
    reason: str


def only_utf8(texts: Sequence[Text]) -> tuple[list[Text], list[Rejected]]:
    """The texts with the lines that are not UTF-8 blanked, and these lines."""
    readable, rejected = [], []
    for part, given in enumerate(texts):
        text = given
        if given.first_line == 1 and given.data.startswith(BOM):
            text = Text(given.data.removeprefix(BOM))
        try:
            text.data.decode()
        except UnicodeDecodeError:
            kept = []
            for n, line in enumerate(text.data.split(b"\n"), text.first_line):
                try:
                    line.decode()
                except UnicodeDecodeError:
                    shown = line.rstrip(b"\r").decode(errors="backslashreplace")
                    rejected.append(Rejected(part, n, shown, "it is not in UTF-8"))
                    kept.append(b"")
                else:
                    kept.append(line)
            readable.append(Text(b"\n".join(kept), text.first_line))
        else:
            readable.append(text)
    return readable, rejected


def joined(texts: Sequence[Text]) -> tuple[bytes, list[int]]:
    """The texts as one, each ended by a line's end, and how many lines each has."""
    ended = [t.data if t.data.endswith(b"\n") else t.data + b"\n" for t in texts]
    return b"".join(ended), [t.count(b"\n") for t in ended]


def may_hold(data: bytes, pattern: str) -> bool:
    """Whether a text may have what a pattern looks for, in a string or not."""
    ends = pa.py_buffer(np.array([0, len(data)], np.int64))
    whole = pa.LargeStringArray.from_buffers(1, ends, pa.py_buffer(data))
    return bool(pc.match_substring_regex(whole, pattern)[0].as_py())


def lines_of(
    data: bytes, counts: Sequence[int], first_lines: Sequence[int]
) -> tuple[pa.Table, list[int]]:
    """The lines that are not blank: line, part, number, and their place from 0."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")).astype(np.int64) + 1
    bounds = np.concatenate([np.zeros(1, np.int64), ends])
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)[:-1]])
    firsts = np.array(first_lines, np.int64)
    part = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    number = np.arange(len(ends), dtype=np.int64) - np.repeat(starts - firsts, counts)
    line = pa.LargeStringArray.from_buffers(len(ends), pa.py_buffer(bounds), pa.py_buffer(data))
    table = pa.table({"line": line, "part": part, "number": number})
    # Most lines begin with a bracket: only those that begin with whitespace are looked at.
    first = np.frombuffer(data, np.uint8)[bounds[:-1]]
    maybe = np.flatnonzero(np.isin(first, np.frombuffer(WHITESPACE, np.uint8)))
    blank = [i for i in maybe.tolist() if not data[bounds[i] : bounds[i + 1]].strip()]
    if blank:
        keep = np.ones(len(ends), bool)
        keep[blank] = False
        table = table.filter(pa.array(keep))
        part = part[keep]
    table = table.append_column("place", pa.array(np.arange(len(table), dtype=np.int64)))
    return table, np.bincount(part, minlength=len(counts)).tolist()
