"""The Maven artifacts: the spec that people write, and the lock that machines obey.

`artifacts/maven.toml` names coordinates by group; `artifacts/maven.lock` holds one line a file:
group, coordinate, SHA-256, size in bytes. Neither names a repository: its address is jgo's default.
"""

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cdp.errors import CdpError
from cdp.settings import ROOT

SPEC = ROOT / "artifacts" / "maven.toml"
LOCK = ROOT / "artifacts" / "maven.lock"


@dataclass(frozen=True)
class Artifact:
    """One locked file. `coordinate` is group:artifact:version:classifier:packaging."""

    group: str
    coordinate: str
    sha256: str
    size: int

    @property
    def path(self) -> str:
        """Its path in any Maven repository."""
        organisation, name, version, classifier, packaging = self.coordinate.split(":")
        suffix = f"-{classifier}" if classifier else ""
        folder = f"{organisation.replace('.', '/')}/{name}/{version}"
        return f"{folder}/{name}-{version}{suffix}.{packaging}"

    @property
    def filename(self) -> str:
        return self.path.rsplit("/", 1)[1]


def read_lock(groups: Iterable[str] | None = None, lock: Path = LOCK) -> list[Artifact]:
    """The locked artifacts of the groups, all when None. Raises CdpError on a damaged lock."""
    wanted = None if groups is None else set(groups)
    artifacts = []
    for number, line in enumerate(lock.read_text().splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        try:
            group, coordinate, sha256, size = line.split()
            artifact = Artifact(group, coordinate, sha256, int(size))
            artifact.path  # noqa: B018 - parses the coordinate
        except ValueError:
            raise CdpError(
                f"{lock} line {number} is not a lock entry", "git checkout artifacts"
            ) from None
        if wanted is None or group in wanted:
            artifacts.append(artifact)
    return artifacts


def repository() -> str:
    """The address of the Maven repository, as jgo has it."""
    from jgo.maven import MavenContext

    return str(next(iter(MavenContext().remote_repos.values())))


def write_lock() -> int:
    """Resolve the spec, download everything once, write the lock. Returns the number of files."""
    from jgo.maven import MavenContext

    spec = tomllib.loads(SPEC.read_text())
    lines = ["# Written by `make lock` from maven.toml: group, coordinate, SHA-256, bytes."]
    with TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch), local_repos=[])
        for group, entry in spec.items():
            named = [context.create_dependency(c) for c in entry["artifacts"]]
            found = list(named)
            if entry["transitive"]:
                # One at a time: resolved together, jgo drops a second classifier of an artifact.
                for dependency in named:
                    if not dependency.artifact.classifier:
                        found += context.resolver.resolve([dependency])[1]
            lines += _lock_lines(group, [d.artifact for d in found])
    LOCK.write_text("\n".join(lines) + "\n")
    return len(lines) - 1


def _lock_lines(group: str, artifacts: list) -> list[str]:  # type: ignore[type-arg]
    """A line for each artifact; of two versions of one, the first met wins, as in Maven."""
    chosen: dict[tuple[str, ...], object] = {}
    lines = []
    for artifact in artifacts:
        key = (artifact.groupId, artifact.artifactId, artifact.classifier, artifact.packaging)
        if key in chosen:
            continue
        chosen[key] = artifact
        data = Path(artifact.resolve()).read_bytes()
        coordinate = ":".join([*key[:2], artifact.version, *key[2:]])
        lines.append(f"{group} {coordinate} {hashlib.sha256(data).hexdigest()} {len(data)}")
    return sorted(lines)
