"""Fetches locked files into the cache: resumable, verified, atomic, with progress.

A file is downloaded beside its place as `….part`, continued where it stopped, hashed, and renamed
into place only when the hash is right. A verified file is remembered by size and modification time,
so that a start does not hash 700 MB; a file that changed since is hashed again, and replaced when
it is not what the lock says.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from urllib3.exceptions import HTTPError

from cdp.errors import CdpError
from cdp.provision.maven import Artifact, repository

CHUNK = 1 << 20
ATTEMPTS = 4
PARALLEL = 4


def sha256_of(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


class Verified:
    """Which files were found right, by size and modification time; kept as one small JSON file."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "verified.json"
        try:
            self._known: dict[str, list[int | str]] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            self._known = {}

    @staticmethod
    def _state(path: Path, artifact: Artifact) -> list[int | str]:
        stat = path.stat()
        return [artifact.sha256, stat.st_size, stat.st_mtime_ns]

    def holds(self, path: Path, artifact: Artifact) -> bool:
        return path.exists() and self._known.get(artifact.path) == self._state(path, artifact)

    def add(self, path: Path, artifact: Artifact) -> None:
        self._known[artifact.path] = self._state(path, artifact)

    def save(self) -> None:
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(dict(self._known), indent=0, sort_keys=True))
        partial.rename(self._path)


def fetch(url: str, target: Path, artifact: Artifact, advance: Callable[[int], None]) -> None:
    """Download `url` to `target`, continuing a part file; raises CdpError when it cannot be had.

    advance: called with the number of bytes that arrived, the part already there included.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    reason = ""
    for _ in range(ATTEMPTS):
        have = part.stat().st_size if part.exists() else 0
        if have > artifact.size:
            part.unlink()
            have = 0
        advance(have)
        try:
            if have < artifact.size:
                _append(url, part, have, advance)
            reason = "its size is not the locked one"
        except (requests.RequestException, HTTPError) as error:
            reason = str(error)
        if part.exists() and part.stat().st_size == artifact.size:
            if sha256_of(part) == artifact.sha256:
                part.replace(target)
                return
            reason = "its SHA-256 is not the locked one"
            part.unlink()
            advance(-artifact.size)
        elif part.exists():
            advance(-part.stat().st_size)
    raise CdpError(
        f"{artifact.filename} could not be downloaded: {reason}",
        "check the network and run `cdp provision` again; what has arrived is kept",
    )


def _append(url: str, part: Path, have: int, advance: Callable[[int], None]) -> None:
    headers = {"Range": f"bytes={have}-"} if have else {}
    with requests.get(url, headers=headers, stream=True, timeout=60) as response:
        response.raise_for_status()
        resumed = response.status_code == requests.codes.partial_content
        if have and not resumed:
            advance(-have)
        with part.open("ab" if resumed else "wb") as f:
            # Raw: bytes as they were sent, and none lost when the connection is cut within a chunk.
            for chunk in response.raw.stream(CHUNK, decode_content=False):
                f.write(chunk)
                advance(len(chunk))


def ensure(
    artifacts: Iterable[Artifact], directory: Path, rehash: bool = False, base: str | None = None
) -> dict[Artifact, Path]:
    """Have every artifact in `directory`, right by its hash. Returns their paths.

    rehash: do not trust size and modification time; read every byte.
    base: the repository's address, jgo's default when None.
    """
    directory.mkdir(parents=True, exist_ok=True)
    verified = Verified(directory)
    paths = {a: directory / a.path for a in artifacts}
    missing: dict[Path, Artifact] = {}  # by path: two groups may share a file
    for artifact, path in paths.items():
        if not rehash and verified.holds(path, artifact):
            continue
        if path.exists() and sha256_of(path) == artifact.sha256:
            verified.add(path, artifact)
        else:
            path.unlink(missing_ok=True)  # found wrong: never trusted again, whatever comes
            missing[path] = artifact
    try:
        if missing:
            _download_all(missing, verified, base or repository())
    finally:
        verified.save()
    return paths


def _download_all(missing: dict[Path, Artifact], verified: Verified, base: str) -> None:
    columns = (
        TextColumn("{task.description:<44.44}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    pool = ThreadPoolExecutor(PARALLEL)
    interrupted = False
    with Progress(*columns) as progress:
        total = progress.add_task(
            f"{len(missing)} files", total=sum(a.size for a in missing.values())
        )

        def one(path: Path, artifact: Artifact) -> None:
            task = progress.add_task(artifact.filename, total=artifact.size)

            def advance(count: int) -> None:
                progress.advance(task, count)
                progress.advance(total, count)

            fetch(f"{base}/{artifact.path}", path, artifact, advance)
            verified.add(path, artifact)
            progress.remove_task(task)

        # Largest first, so that the last minutes are not spent on one file.
        ordered = sorted(missing.items(), key=lambda item: -item[1].size)
        try:
            for future in [pool.submit(one, *item) for item in ordered]:
                future.result()
        except KeyboardInterrupt:
            interrupted = True
            raise
        finally:
            # Who interrupts is not kept waiting for what is left; the part files stay.
            pool.shutdown(wait=not interrupted, cancel_futures=interrupted)
