"""`cdp land SOURCE`: the new objects of an inbox land in batches, many small ones in one object."""

import gzip
import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc
from botocore.exceptions import ClientError
from isal import igzip, isal_zlib

from cdp import objects
from cdp.errors import CdpError
from cdp.landing import delivery, reader
from cdp.landing.batch import Batch, Reject
from cdp.landing.json_lines import BLOCK_BYTES, Parsed, Parser
from cdp.landing.ledger import Entry, Input, Known, Ledger
from cdp.landing.lines import Text
from cdp.landing.source import Source
from cdp.settings import Settings

BATCH_BYTES = 256 << 20
# An object that is larger is read through a scratch file, and is a batch of its own.
LARGE_BYTES = 64 << 20
READERS = 4
# Blocks of lines that are parsed beside the one that is being written. A parser has a database of
# its own, which is not always busy on all cores.
PARSERS = 2
# What may be fetched before it is parsed; unpacked it is ten times as much.
AHEAD_BYTES = 16 << 20
# How the names of folder markers, checksums and unfinished objects end.
UNFINISHED = ("_$folder$", ".crc", ".tmp", ".inprogress", "._COPYING_")


@dataclass(frozen=True)
class Object:
    """An object of the inbox, as the store lists it. written_at: ISO 8601 in UTC, its delivery."""

    key: str
    etag: str
    size: int
    written_at: str


@dataclass
class Outcome:
    """What landing an inbox came to. refused: why an object as a whole was not landed."""

    objects: int = 0
    duplicates: int = 0
    landed: int = 0
    quarantined: int = 0
    batches: int = 0
    refused: list[CdpError] = field(default_factory=list)


@dataclass(frozen=True)
class _Fetched:
    """text: JSON lines, unpacked. path: where anything else was put."""

    listed: Object
    sha256: str
    text: bytes | None = None
    path: Path | None = None
    fault: str = ""


def land(source: Source, settings: Settings, say: Callable[[str], None]) -> Outcome:
    """Land what is new in the source's inbox.

    say: receives a line for each batch.
    Raises CdpError when the source has no inbox, and when the store or the disk fails; what had
    landed before that stays landed, and the next run goes on.
    """
    if source.captured or not source.location:
        raise CdpError(
            f"{source.full_name} has no inbox",
            f"name a file: cdp land {source.full_name} FILE; or give its source a location",
        )
    try:
        with objects.explained():
            return _Inbox(source, settings, say).land()
    except OSError as error:
        raise CdpError(
            f"the inbox of {source.full_name} could not be landed: {error}",
            "free disk space, and land it again",
        ) from error


def is_delivered(name: str, size: int) -> bool:
    """Whether an object of an inbox is a delivery: no marker, and nothing that is not finished.

    name: below the inbox. Writers put into folders and objects that begin with `_` or `.` what is
    not for readers: `_temporary/`, `_SUCCESS`, `.part-0.crc`. An object without bytes is a folder's
    marker, or is not written yet.
    """
    hidden = any(part.startswith(("_", ".")) for part in name.split("/"))
    return size > 0 and not hidden and not name.endswith(("/", *UNFINISHED))


class _Inbox:
    def __init__(self, source: Source, settings: Settings, say: Callable[[str], None]) -> None:
        self.source = source
        self.ledger = Ledger(source, settings)
        self.bucket = settings.bucket
        self.say = say
        self.parsers = [Parser(source) for _ in range(PARSERS)]
        self.outcome = Outcome()

    def land(self) -> Outcome:
        self.ledger.settle()
        known = self.ledger.known()
        refused: set[tuple[str, str]] = set()
        while waiting := self._waiting(known, refused):
            for chosen in _batches(waiting):
                if not self._land(chosen, known, refused):
                    # Another has entered a batch meanwhile: complete it, and see what is left.
                    self.ledger.settle()
                    self.ledger.catch_up(known)
                    break
            else:
                return self.outcome
        return self.outcome

    def _waiting(self, known: Known, refused: set[tuple[str, str]]) -> list[Object]:
        pages = self.ledger.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.source.location
        )
        listed = [
            Object(o["Key"], o["ETag"].strip('"'), o["Size"], o["LastModified"].isoformat())
            for page in pages
            for o in page.get("Contents", [])
            if is_delivered(o["Key"].removeprefix(self.source.location), o["Size"])
        ]
        done = known.by_tag | refused
        return [o for o in listed if (o.key, o.etag) not in done]

    def _land(self, chosen: list[Object], known: Known, refused: set[tuple[str, str]]) -> bool:
        """Land some objects as one batch. Returns False when another run was quicker."""
        faults: list[tuple[Object, CdpError]] = []
        with (
            Batch(self.ledger) as batch,
            TemporaryDirectory(prefix="cdp-land-") as scratch,
            ThreadPoolExecutor(PARSERS) as pool,
        ):
            inputs: list[Input] = []
            new: set[str] = set()
            twins: list[_Fetched] = []
            gathered: list[_Fetched] = []
            parsing: deque[tuple[list[_Fetched], Future[Parsed]]] = deque()
            size = 0
            for fetched in self._fetch(chosen, Path(scratch)):
                if fetched.sha256 in known.by_content or fetched.sha256 in new:
                    twins.append(replace(fetched, text=None))
                    continue
                new.add(fetched.sha256)
                if fetched.text is None:
                    self._add_file(batch, fetched, inputs, faults)
                    continue
                gathered.append(fetched)
                size += len(fetched.text)
                if size >= BLOCK_BYTES:
                    parsing.append((gathered, pool.submit(self._parse, gathered)))
                    gathered, size = [], 0
                if len(parsing) > PARSERS:
                    self._add_lines(batch, *parsing.popleft(), inputs, faults)
            if gathered:
                parsing.append((gathered, pool.submit(self._parse, gathered)))
            while parsing:
                self._add_lines(batch, *parsing.popleft(), inputs, faults)
            # The same bytes as an object that landed, by now or before; of a refused one they are
            # as bad as it is.
            bad = new - {i.sha256 for i in inputs}
            duplicates = [_input(f) for f in twins if f.sha256 not in bad]
            inputs += duplicates
            faults += [(f.listed, _same(f.listed)) for f in twins if f.sha256 in bad]
            entry = batch.land(known.number + 1, "objects", inputs) if inputs else None
        if inputs and entry is None:
            return False
        if entry:
            known.add(entry.number, inputs)
            self._count(entry, len(duplicates))
        refused |= {(o.key, o.etag) for o, _ in faults}
        self.outcome.refused += [error for _, error in faults]
        return True

    def _count(self, entry: Entry, duplicates: int) -> None:
        total = self.outcome
        total.objects += len(entry.inputs) - duplicates
        total.duplicates += duplicates
        total.landed += entry.landed
        total.quarantined += entry.quarantined
        total.batches += 1
        self.say(
            f"{self.source.full_name} batch {entry.number}: "
            f"{len(entry.inputs) - duplicates} objects, "
            f"{entry.landed} rows, {entry.quarantined} in quarantine"
            + (f", {duplicates} delivered before" if duplicates else "")
        )

    def _fetch(self, chosen: list[Object], scratch: Path) -> Iterator[_Fetched]:
        """The objects in order, some ahead. One that is gone or changed by now is left out."""
        with ThreadPoolExecutor(READERS) as pool:
            ahead: deque[tuple[int, Future[_Fetched | None]]] = deque()
            waiting = deque(enumerate(chosen))
            while waiting or ahead:
                while waiting and sum(size for size, _ in ahead) < AHEAD_BYTES:
                    number, each = waiting.popleft()
                    # A small object costs more than its bytes: at most some hundreds are ahead.
                    size = max(each.size, 64 << 10)
                    ahead.append((size, pool.submit(self._get, each, scratch / str(number))))
                if found := ahead.popleft()[1].result():
                    yield found

    def _get(self, listed: Object, folder: Path) -> _Fetched | None:
        try:
            answer = self.ledger.s3.get_object(
                Bucket=self.bucket, Key=listed.key, IfMatch=listed.etag
            )
        except ClientError as error:
            if objects.is_error(error, "NoSuchKey", "404", "PreconditionFailed", "412"):
                return None
            raise
        listed = _moved(listed, answer["Metadata"])
        if listed.size > LARGE_BYTES:
            path = _path(folder, listed)
            with path.open("wb") as f:
                for piece in answer["Body"].iter_chunks(BLOCK_BYTES):
                    f.write(piece)
            return _Fetched(listed, reader.digest(path), path=path)
        body = answer["Body"].read()
        sha256 = hashlib.sha256(body).hexdigest()
        text = body
        if body.startswith(delivery.GZIP):
            try:
                text = igzip.decompress(body)
            except (EOFError, gzip.BadGzipFile, isal_zlib.error) as error:
                return _Fetched(listed, sha256, fault=str(error))
        if delivery.is_json(text[:4096], self.source):
            return _Fetched(listed, sha256, text=text)
        path = _path(folder, listed)
        path.write_bytes(text)
        return _Fetched(listed, sha256, path=path)

    def _add_file(
        self,
        batch: Batch,
        fetched: _Fetched,
        inputs: list[Input],
        faults: list[tuple[Object, CdpError]],
    ) -> None:
        """Add an object that is CSV, Parquet or large."""
        listed, rejects, rows = fetched.listed, list[Reject](), 0
        try:
            if not fetched.path:
                raise CdpError(f"{listed.key} is not whole: {fetched.fault}", delivery.AGAIN)
            tables: Iterable[pa.Table] = delivery.tables(fetched.path, self.source, rejects)
            if listed.size <= LARGE_BYTES:
                tables = list(tables)  # a file that fails at its end leaves no row in the batch
            for table in tables:
                batch.add(table, listed.key, listed.written_at)
                rows += len(table)
            delivery.judge(listed.key, rows, len(rejects), self.source)
        except CdpError as error:
            faults.append((listed, delivery.called(listed.key, fetched.path, error)))
            return
        batch.reject(rejects, listed.key)
        inputs.append(_input(fetched, rows + len(rejects), len(rejects)))

    def _parse(self, gathered: list[_Fetched]) -> Parsed:
        parser = self.parsers.pop()
        try:
            return parser.parse([Text(f.text or b"") for f in gathered])
        finally:
            self.parsers.append(parser)

    def _add_lines(
        self,
        batch: Batch,
        gathered: list[_Fetched],
        parsing: Future[Parsed],
        inputs: list[Input],
        faults: list[tuple[Object, CdpError]],
    ) -> None:
        """Add the JSON lines of many objects, parsed at once; judge each object by itself."""
        parsed = parsing.result()
        rejected: list[list[Reject]] = [[] for _ in gathered]
        for each in parsed.rejected:
            rejected[each.part].append(Reject(each.number, each.text, each.reason))
        good = []
        for part, fetched in enumerate(gathered):
            received, bad = parsed.received[part], len(rejected[part])
            try:
                if received:  # a minute without events is a delivery too
                    delivery.judge(fetched.listed.key, received - bad, bad, self.source)
            except CdpError as error:
                faults.append((fetched.listed, error))
                continue
            good.append(part)
            inputs.append(_input(fetched, received, bad))
            batch.reject(rejected[part], fetched.listed.key)
        rows = parsed.rows
        if len(good) < len(gathered):
            rows = rows.filter(pc.is_in(rows["_part"], pa.array(good, pa.int64())))
        names = pa.array([f.listed.key for f in gathered])
        parts = rows["_part"].combine_chunks()
        files = names.take(parts)
        rows = rows.drop_columns(["_part"]).append_column("_source_file", files)
        moments = pa.array([f.listed.written_at for f in gathered])
        batch.add(rows, "", moments.take(parts))


def _moved(listed: Object, metadata: Mapping[str, str]) -> Object:
    """The object with the moment that it bears, where whoever copied it here has kept that.

    Tools that copy objects, such as rclone, keep it as `mtime`, in seconds since 1970.
    """
    try:
        moment = datetime.fromtimestamp(float(metadata["mtime"]), UTC)
    except (KeyError, ValueError, OverflowError, OSError):
        return listed
    return replace(listed, written_at=moment.isoformat())


def _path(folder: Path, listed: Object) -> Path:
    folder.mkdir()
    return folder / Path(listed.key).name


def _same(listed: Object) -> CdpError:
    return CdpError(f"{listed.key} has the bytes of one that is refused", delivery.AGAIN)


def _input(fetched: _Fetched, received: int = 0, quarantined: int = 0) -> Input:
    listed = fetched.listed
    return Input(listed.key, fetched.sha256, listed.etag, received, quarantined, listed.written_at)


def _batches(waiting: list[Object]) -> Iterator[list[Object]]:
    """Objects in the order of their keys, in batches of bounded size; a large one stands alone."""
    chosen: list[Object] = []
    size = 0
    for each in waiting:
        large = each.size > LARGE_BYTES
        if chosen and (large or size >= BATCH_BYTES or size + each.size > BATCH_BYTES):
            yield chosen
            chosen, size = [], 0
        chosen.append(each)
        size += BATCH_BYTES if large else each.size
    if chosen:
        yield chosen
