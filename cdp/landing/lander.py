"""`cdp land SOURCE FILE`: a file given by hand becomes a batch in the landing zone, once."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cdp import objects
from cdp.errors import CdpError
from cdp.landing import delivery, reader
from cdp.landing.batch import Batch, Reject
from cdp.landing.ledger import Input, Known, Ledger
from cdp.landing.source import Source
from cdp.settings import Settings


@dataclass(frozen=True)
class Landed:
    """What landing a file came to. already: its bytes had landed before."""

    rows: int
    quarantined: int
    already: bool


def land(
    path: Path,
    source: Source,
    settings: Settings,
    effective_at: datetime | None = None,
    *,
    again: bool = False,
) -> Landed:
    """Land one file for a source. A file whose bytes were landed before is left as it is.

    again: land it all the same, in place of the batch that it was in.

    effective_at: the moment whose state the file holds, where its rows do not; by default when the
        file was last modified.
    Raises CdpError for a file that is not what the source says, and when the store is away.
    """
    if not path.is_file():
        raise CdpError(f"there is no file {path}", "check the path")
    try:
        with objects.explained():
            return _land(path, Ledger(source, settings), effective_at, again=again)
    except OSError as error:
        raise CdpError(
            f"{path} could not be landed: {error}",
            "free disk space or check permissions, and land it again",
        ) from error


def _land(path: Path, ledger: Ledger, effective_at: datetime | None, *, again: bool) -> Landed:
    sha256 = reader.digest(path)
    moment = effective_at or datetime.fromtimestamp(path.stat().st_mtime, UTC)
    ledger.settle()
    known = ledger.known()
    replaced, _ = known.by_content.get(sha256, (0, None)) if again else (0, None)
    if replaced and ledger.is_there(replaced):
        raise CdpError(
            f"{path.name} is in batch {replaced}, whose objects are in the landing zone",
            "move them out of it first if they are damaged; loaded again, rows would double",
        )
    while replaced or sha256 not in known.by_content:
        with Batch(ledger) as batch:
            rejects: list[Reject] = []
            for table in delivery.tables(path, ledger.source, rejects):
                batch.add(table, path.name, moment.isoformat())
            delivery.judge(str(path), batch.rows, len(rejects), ledger.source)
            batch.reject(rejects, path.name)
            done = Input(
                name=path.name,
                sha256=sha256,
                received=batch.rows + len(rejects),
                quarantined=len(rejects),
                effective_at=moment.isoformat(),
            )
            if batch.land(known.number + 1, "file", [done], replaces=replaced):
                return _landed(done, already=False)
        _learn(ledger, known)
    return _landed(known.by_content[sha256][1], already=True)


def _learn(ledger: Ledger, known: Known) -> None:
    """Another has entered a batch meanwhile: complete it, and know what it holds."""
    ledger.settle()
    ledger.catch_up(known)


def _landed(found: Input, *, already: bool) -> Landed:
    return Landed(found.received - found.quarantined, found.quarantined, already)
