"""The ledger: numbers without a gap, each entered once, and what a killed writer left completed."""

import io
import itertools
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import EndpointConnectionError

from cdp import objects
from cdp.landing import lander
from cdp.landing.batch import Batch, Reject
from cdp.landing.ledger import FOLD, Entry, Input, Kind, Known, Ledger, Part
from cdp.settings import Settings
from tests.support.inbox import Feed
from tests.support.stack import Stack

UNREACHABLE = "http://127.0.0.1:9"
NOW = datetime(2024, 6, 7, 8, 9, 10, tzinfo=UTC)


@pytest.fixture
def feed(stack: Stack, tmp_path: Path) -> Feed:
    """A new source."""
    return Feed.make(stack, tmp_path, "csv")


def entry(number: int, *names: str, kind: Kind = "objects") -> Entry:
    """A batch of inputs whose contents are their names."""
    inputs = tuple(Input(name, f"sha of {name}", f"tag of {name}", 5, 1) for name in names)
    return Entry(number, kind, NOW.isoformat(), inputs, ())


def fill(ledger: Ledger, numbers: range) -> None:
    for number in numbers:
        assert ledger.enter(entry(number, str(number)))


def staged(ledger: Ledger, folder: Path, parts: int = 3) -> Entry:
    """An entry, not entered yet, with objects that are staged."""
    found: dict[str, list[Part]] = {"landing": [], "quarantine": []}
    for number in range(parts + 1):
        path = folder / f"{number}.parquet"
        pq.write_table(pa.table({"n": [number]}), path)
        if number:
            found["landing"].append(ledger.part(ledger.stage(path, 1), 1, NOW))
        else:
            rejects = ledger.stage(path, 1, "quarantine")
            found["quarantine"].append(ledger.part(rejects, 1, NOW))
    inputs = (Input("a", "b", received=parts + 1, quarantined=1),)
    rows, unfit = tuple(found["landing"]), tuple(found["quarantine"])
    return Entry(1, "file", NOW.isoformat(), inputs, rows, unfit)


# Length.


def test_length_is_found_by_halving_whatever_it_is(feed: Feed) -> None:
    ledger = feed.ledger
    asked: list[object] = []
    ledger.s3.meta.events.register("before-call.s3.HeadObject", lambda **more: asked.append(more))
    done = 0
    for length in (0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 66, 200):
        fill(ledger, range(done + 1, length + 1))
        done = length
        asked.clear()
        assert ledger.length() == length
        assert len(asked) <= 2 * length.bit_length() + 1
        last = ledger.last()
        assert (last.number if last else 0) == length
        for known in {0, length // 2, max(0, length - 1), length}:
            assert ledger.length(known) == length
    assert [e.number for e in ledger.entries(190)] == list(range(191, 201))
    assert list(ledger.entries(200)) == []


# Entering.


def test_of_two_entries_of_one_number_the_first_stands(feed: Feed) -> None:
    ledger = feed.ledger
    assert ledger.enter(entry(1, "first"))
    assert not ledger.enter(entry(1, "second"))
    assert ledger.entry(1) == entry(1, "first")
    assert ledger.length() == 1


def test_an_entry_that_is_put_again_after_a_lost_answer_is_its_own(feed: Feed) -> None:
    assert feed.ledger.enter(entry(1, "first"))
    assert feed.ledger.enter(entry(1, "first"))


def test_an_entry_is_read_as_it_was_entered(feed: Feed, tmp_path: Path) -> None:
    ledger = feed.ledger
    written = staged(ledger, tmp_path)
    assert ledger.enter(written)
    assert ledger.entry(1) == written
    assert (written.received, written.landed, written.quarantined) == (4, 3, 1)
    assert ledger.entry(2) is None


def test_entries_of_many_writers_at_once_have_numbers_without_a_gap(feed: Feed) -> None:
    writers, each = 8, 12

    def write(writer: int) -> list[int]:
        ledger = feed.ledger
        known = Known()
        mine = []
        for n in range(each):
            while not ledger.enter(entry(known.number + 1, f"{writer}-{n}")):
                ledger.catch_up(known)
            known.add(known.number + 1, ())
            mine.append(known.number)
        return mine

    with ThreadPoolExecutor(writers) as pool:
        numbers = list(pool.map(write, range(writers)))
    assert sorted(itertools.chain(*numbers)) == list(range(1, writers * each + 1))
    entries = {e.number: e.inputs[0].name for e in feed.entries()}
    assert entries == {
        number: f"{writer}-{n}"
        for writer in range(writers)
        for n, number in enumerate(numbers[writer])
    }


# What is known.


def test_inputs_are_folded_every_so_many_entries_and_known_as_before(feed: Feed) -> None:
    ledger = feed.ledger
    wanted = Known()
    read: list[object] = []
    ledger.s3.meta.events.register("before-call.s3.GetObject", lambda **more: read.append(more))
    for number in range(1, 2 * FOLD + 3):
        # Every third repeats what the one before it had, under another name.
        names = [f"{number} a", f"{number} b"] if number % 3 else [f"{number - 1} a"]
        made = entry(number, *names)
        assert ledger.enter(made)
        ledger.publish(made)
        wanted.add(number, made.inputs)
        folds = [k.rpartition("/")[2] for k in feed.keys("ledger") if "/folds/" in k]
        assert folds == ([f"{number // FOLD * FOLD:012d}.parquet"] if number >= FOLD else [])
        if number % FOLD in {0, 1, FOLD - 1}:
            read.clear()
            assert ledger.known() == wanted
            assert len(read) <= 1 + number % FOLD
    assert ledger.length() == 2 * FOLD + 2


def test_an_older_fold_that_a_killed_writer_left_does_no_harm_and_goes_with_the_next(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = feed.ledger
    fill(ledger, range(1, FOLD + 1))
    assert ledger.settle() == FOLD
    fill(ledger, range(FOLD + 1, 2 * FOLD + 1))
    monkeypatch.setattr(ledger.s3, "delete_object", _die)
    with pytest.raises(KeyboardInterrupt):
        ledger.settle()
    monkeypatch.undo()
    folds = f"{ledger.prefix}folds/"
    assert len([k for k in feed.keys("ledger") if k.startswith(folds)]) == 2
    known = ledger.known()
    assert known.by_content.keys() == {f"sha of {n}" for n in range(1, 2 * FOLD + 1)}
    ledger.settle()
    assert [k for k in feed.keys("ledger") if k.startswith(folds)] == [
        f"{folds}{2 * FOLD:012d}.parquet"
    ]
    assert ledger.known() == known


@pytest.mark.parametrize("kind", ["snapshot", "changes"])
def test_a_capture_has_no_inputs_to_fold(feed: Feed, kind: Kind) -> None:
    ledger = feed.ledger
    fill(ledger, range(1, FOLD))
    last = entry(FOLD, kind=kind)
    assert ledger.enter(last)
    ledger.publish(last)
    assert not [k for k in feed.keys("ledger") if "folds" in k]


# Publishing.


@pytest.mark.parametrize("killed_at", range(4))
@pytest.mark.parametrize("call", ["copy_object", "delete_object"])
def test_what_a_killed_writer_left_is_completed(
    feed: Feed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, killed_at: int
) -> None:
    ledger = feed.ledger
    made = staged(ledger, tmp_path)
    assert ledger.enter(made)
    monkeypatch.setattr(ledger.s3, call, _dying(getattr(ledger.s3, call), killed_at))
    with pytest.raises(KeyboardInterrupt):
        ledger.publish(made)
    monkeypatch.undo()
    if call == "copy_object":
        assert len(feed.keys("landing") + feed.keys("quarantine")) == killed_at
    assert feed.ledger.settle() == 1
    assert feed.keys("landing") == sorted(p.key for p in made.parts)
    assert feed.keys("quarantine") == [p.key for p in made.rejects]
    assert feed.keys("staged") == []
    assert sorted(r["n"] for r in feed.rows()) == [1, 2, 3]
    assert feed.rows("quarantine") == [{"n": 0}]


def _dying(call: Callable[..., object], after: int) -> Callable[..., object]:
    calls = itertools.count()

    def dying(**given: object) -> object:
        if next(calls) == after:
            raise KeyboardInterrupt
        return call(**given)

    return dying


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_publishing_again_changes_nothing_and_brings_nothing_back(
    feed: Feed, tmp_path: Path
) -> None:
    ledger = feed.ledger
    made = staged(ledger, tmp_path)
    assert ledger.enter(made)
    for _ in range(2):
        ledger.publish(made)
        assert feed.keys("landing") == sorted(p.key for p in made.parts)
    _remove(feed, made.parts[0].key)
    ledger.publish(made)
    assert ledger.settle() == 1
    assert feed.keys("landing") == sorted(p.key for p in made.parts[1:])


def test_an_empty_ledger_has_nothing_to_settle(feed: Feed) -> None:
    assert feed.ledger.settle() == 0
    assert feed.ledger.known() == Known()
    assert feed.ledger.last() is None


# Landing again.


def test_a_file_whose_landed_object_is_lost_lands_again_in_place_of_its_batch(
    feed: Feed, tmp_path: Path
) -> None:
    path = tmp_path / "file.csv"
    path.write_text("id\n1\n2\nbroken,\n")
    for number in (1, 2, 3):  # what was landed again can be lost again
        if number == 2:
            shown = feed.cdp("land", feed.source.full_name, str(path), "--again")
            assert "file.csv landed: 2 rows, 1 lines in quarantine" in shown
        else:
            done = lander.land(path, feed.source, feed.settings, again=True)
            assert done == lander.Landed(2, 1, already=False)
        (key,) = feed.keys("landing")
        made = feed.entries()[-1]
        assert (made.number, made.replaces) == (number, number - 1)
        assert [p.key for p in made.parts] == [key]
        _remove(feed, key)
    assert lander.land(path, feed.source, feed.settings) == lander.Landed(2, 1, already=True)
    assert feed.keys("landing") == []


def _remove(feed: Feed, key: str) -> None:
    objects.client(feed.settings).delete_object(Bucket=feed.settings.bucket, Key=key)


# A batch that does not land at once.


def filled(feed: Feed) -> Batch:
    batch = Batch(feed.ledger)
    batch.add(pa.table({"id": ["1", "2"]}), "a file", NOW.isoformat())
    batch.reject([Reject(3, "oops", "it is not JSON")], "a file")
    return batch


def rows_of(ledger: Ledger, parts: Iterable[Part]) -> int:
    bodies = [ledger.read(part.key) for part in parts]
    return sum(pq.read_table(io.BytesIO(body)).num_rows for body in bodies if body)


def test_a_batch_whose_staging_failed_lands_whole_when_it_is_tried_again(feed: Feed) -> None:
    away = Settings.model_validate(dict(feed.stack.settings()) | {"s3_endpoint": UNREACHABLE})
    with filled(feed) as batch:
        there, batch.ledger.s3 = batch.ledger.s3, objects.client(away)
        with pytest.raises(EndpointConnectionError):
            batch.land(1, "file", [Input("a file", "sha", received=3, quarantined=1)])
        batch.ledger.s3 = there
        landed = batch.land(1, "file", [Input("a file", "sha", received=3, quarantined=1)])
    assert landed
    assert (landed.landed, landed.quarantined) == (2, 1)
    assert rows_of(feed.ledger, landed.parts) == 2
    assert rows_of(feed.ledger, landed.rejects) == 1


def test_a_batch_whose_number_was_taken_lands_whole_under_the_next(feed: Feed) -> None:
    with filled(feed) as batch:
        fill(feed.ledger, range(1, 2))
        inputs = [Input("a file", "sha", received=3, quarantined=1)]
        assert batch.land(1, "file", inputs) is None
        landed = batch.land(2, "file", inputs)
    assert landed
    assert rows_of(feed.ledger, landed.parts) == 2
    assert rows_of(feed.ledger, landed.rejects) == 1


def test_a_batch_that_gives_way_leaves_nothing_staged(feed: Feed) -> None:
    fill(feed.ledger, range(1, 2))
    with filled(feed) as batch:
        assert batch.land(1, "file", [Input("a file", "sha", received=3, quarantined=1)]) is None
    source = feed.ledger.source
    home = f"staged/{source.source}/{source.table}/"
    assert list(objects.keys(feed.ledger.s3, feed.ledger.bucket, home)) == []
