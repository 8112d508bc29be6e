"""A random log of changes, what must come of it, and what has."""

import random
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from cdp.spark import connect
from tests.support.project import Project

BATCHES = 5
KEYS = ["A", "B", "C", "D", "E", "F"]
Key = tuple[int, int, int]


@dataclass(frozen=True)
class Change:
    """A change of the log. colour: None for a delete; key: None for a truncation."""

    key: str | None
    place: Key
    colour: str | None


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same data at every run


def log(rng: random.Random) -> list[Change]:
    """Changes in the order of the source. A place may be that of another key's change."""
    changes = []
    for at in range(40):
        for number in range(rng.randint(1, 3)):
            kind = rng.random()
            key = rng.choice(KEYS) if kind > 0.06 else None
            colour = f"{at}-{number}" if kind > 0.3 else None
            changes.append(Change(key, (at // 3, at % 3, number), colour))
    return changes


def latest_of(changes: list[Change]) -> dict[str, tuple[Key, str | None]]:
    """What the table must hold, by replaying the log in its order."""
    state: dict[str, tuple[Key, str | None]] = {}
    for change in sorted(changes, key=lambda c: c.place):
        if change.key is None:
            state = dict.fromkeys(state, (change.place, None))
        else:
            state[change.key] = (change.place, change.colour)
    return state


def versions_of(changes: list[Change]) -> set[tuple[str, int, int | None, str]]:
    """The versions that a history must have: key, from when to when, colour."""
    found = set()
    by_key: dict[str, list[tuple[Key, str | None]]] = defaultdict(list)
    for change in sorted(changes, key=lambda c: c.place):
        for key in [change.key] if change.key else list(by_key):
            by_key[key].append((change.place, change.colour))
    for key, events in by_key.items():
        ends: list[int | None] = [place[0] for place, _ in events[1:]]
        for (place, colour), end in zip(events, [*ends, None], strict=True):
            if colour is not None:
                found.add((key, place[0], end, colour))
    return found


def scattered(rng: random.Random, changes: list[Change]) -> list[tuple[int, Change]]:
    """The changes in batches, out of order and some of them several times."""
    placed = [(rng.randint(1, BATCHES), change) for change in changes]
    placed += [(rng.randint(1, BATCHES), rng.choice(changes)) for _ in changes[::4]]
    rng.shuffle(placed)
    return placed


def write_changes(project: Project, trials: dict[int, list[tuple[int, Change]]]) -> None:
    rows = [
        (
            trial,
            batch,
            change.key,
            change.colour,
            *change.place,
            change.key is not None and change.colour is None,
            change.key is None,
        )
        for trial, placed in trials.items()
        for batch, change in placed
    ]
    shape = (
        "trial int, batch int, id string, colour string, at_s bigint, lsn bigint, number bigint, "
        "is_deleted boolean, is_truncated boolean"
    )
    frame = connect(project.stack.settings()).createDataFrame(rows, shape)
    project.sql(f"create namespace if not exists lake.{project.schema}")
    frame.selectExpr(
        "trial",
        "batch",
        "id",
        "colour",
        "timestamp_seconds(at_s) as at",
        # A file of states has no place in a log; nulls are lowest.
        "nullif(lsn, 0) as lsn",
        "number",
        "is_deleted",
        "is_truncated",
    ).writeTo(f"lake.{project.schema}.changes").using("iceberg").create()


def seconds(moment: Any) -> int | None:  # noqa: ANN401
    return None if moment is None else int(moment.timestamp())


def found_latest(project: Project) -> dict[int, dict[str, tuple[Key, str | None]]]:
    found: dict[int, dict[str, tuple[Key, str | None]]] = defaultdict(dict)
    names = ("trial", "id", "at", "lsn", "number", "colour", "is_deleted")
    for trial, key, at, lsn, number, colour, is_deleted in project.rows("latest", *names):
        if key is not None:
            assert is_deleted is (colour is None)
            assert key not in found[trial]
            found[trial][key] = ((seconds(at) or 0, lsn or 0, number), colour)
    return found


def found_versions(project: Project) -> dict[int, set[tuple[str, int, int | None, str]]]:
    found: dict[int, set[tuple[str, int, int | None, str]]] = defaultdict(set)
    names = ("trial", "id", "valid_from", "valid_to", "colour", "is_deleted")
    for trial, key, since, until, colour, is_deleted in project.rows("versions", *names):
        if key is not None and not is_deleted:
            version = (key, seconds(since) or 0, seconds(until), colour)
            assert version not in found[trial]
            found[trial].add(version)
    return found
