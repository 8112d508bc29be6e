"""A delivered file of any format, as tables of text in the source's own columns."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from cdp.errors import CdpError
from cdp.landing import json_lines, reader
from cdp.landing.batch import Reject
from cdp.landing.records import Quarantined
from cdp.landing.source import Source

GZIP = b"\x1f\x8b"
AGAIN = "ask for the file to be delivered again"


def is_json(head: bytes, source: Source) -> bool:
    """Whether the first bytes of a delivery, unpacked, are to be read as JSON lines.

    Where the source has a dialect they are not: JSON has its own way to write numbers and text.
    """
    if head.startswith(b"PAR1"):
        return False
    if source.format == "json":
        return True
    return not source.has_dialect and head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")


def tables(path: Path, source: Source, rejects: list[Reject]) -> Iterator[pa.Table]:
    """The rows of a file, plain or gzipped, a bounded number at a time; rejects are added to.

    Raises CdpError for a file that is not what the source says.
    """
    if path.stat().st_size == 0:
        raise CdpError(f"{path} is empty", AGAIN)
    with _unpacked(path) as plain:
        with plain.open("rb") as f:
            head = f.read(4096)
        if is_json(head, source):
            yield from _json(plain, source, rejects)
            return
        quarantined = Quarantined()
        try:
            yield from reader.read(plain, source, quarantined)
        except CdpError as error:  # it names the unpacked file, which nobody knows
            raise called(str(path), plain, error) from error
        rejects += [Reject(*line) for line in quarantined.lines]


def called(name: str, path: Path | None, error: CdpError) -> CdpError:
    """The error with a name that people know, in place of a scratch file's path."""
    problem = error.problem.replace(str(path), name) if path else error.problem
    return CdpError(problem if name in problem else f"{name}: {problem}", error.fix)


def judge(name: str, landed: int, rejected: int, source: Source) -> None:
    """Raises CdpError for a delivery with nothing to land, or with too much that cannot be."""
    if not landed + rejected:
        raise CdpError(f"{name} has a heading and no rows", AGAIN)
    limit = source.quarantine.max_share
    if not landed or rejected > limit * (landed + rejected):
        raise CdpError(
            f"{rejected} of {landed + rejected} rows of {name} cannot be parsed; "
            f"{limit:.0%} are allowed",
            "correct the file, or raise quarantine.max_share of the source",
        )


@contextmanager
def _unpacked(path: Path) -> Iterator[Path]:
    """The file, or what it holds if it is gzipped, under the same name."""
    with path.open("rb") as f:
        packed = f.read(2) == GZIP
    if not packed:
        yield path
        return
    with TemporaryDirectory(prefix="cdp-land-") as scratch:
        plain = Path(scratch) / path.name
        try:
            with gzip.open(path) as f, plain.open("wb") as out:
                while piece := f.read(json_lines.BLOCK_BYTES):
                    out.write(piece)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise CdpError(f"{path} is not whole: {error}", AGAIN) from error
        yield plain


def _json(path: Path, source: Source, rejects: list[Reject]) -> Iterator[pa.Table]:
    parser = json_lines.Parser(source)
    with path.open("rb") as f:
        pieces = iter(lambda: f.read(json_lines.BLOCK_BYTES), b"")
        for block in json_lines.blocks(pieces):
            parsed = parser.parse([block])
            rejects += [Reject(r.number, r.text, r.reason) for r in parsed.rejected]
            yield parsed.rows.drop_columns(["_part"])
