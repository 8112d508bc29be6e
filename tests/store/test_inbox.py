"""Inboxes: each line of each object lands once, in few batches, whatever is put there."""

import gzip
import io
import itertools
import json
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from boto3.exceptions import S3UploadFailedError

from cdp.errors import CdpError
from cdp.landing import csv_file, inbox, json_lines
from cdp.landing.ledger import Ledger
from tests.support import commands, killed
from tests.support.inbox import Feed, lines
from tests.support.killed import SMALL
from tests.support.stack import CDP, Stack

EMPTY = gzip.compress(b"", mtime=0)


@pytest.fixture
def feed(stack: Stack, tmp_path: Path) -> Feed:
    """A new source of JSON lines."""
    return Feed.make(stack, tmp_path)


@pytest.fixture
def mixed(stack: Stack, tmp_path: Path) -> Feed:
    """A new source of CSV; an object's content decides what it is."""
    return Feed.make(stack, tmp_path, "csv")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds so low that a few objects fill a batch, and a few lines are a large object."""
    for name, value in SMALL.items():
        monkeypatch.setattr(inbox, name, value)
    monkeypatch.setattr(json_lines, "BLOCK_BYTES", SMALL["BLOCK_BYTES"])


def parquet(**columns: object) -> bytes:
    target = io.BytesIO()
    pq.write_table(pa.table(columns), target)
    return target.getvalue()


def test_a_thousand_small_objects_land_as_one_and_only_once(feed: Feed) -> None:
    names = [f"dt=2024-06-0{n % 7 + 1}/{n:04}.json" for n in range(1000)]
    bodies = {name: lines(f"{name} 1", f"{name} 2") for name in names}
    bodies |= {n: gzip.compress(b) for n, b in bodies.items() if n.endswith("3.json")}
    feed.put_all(bodies)
    said = feed.cdp("land", feed.source.full_name)
    assert "batch 1: 1000 objects, 2000 rows, 0 in quarantine" in said
    assert len(feed.keys("landing")) == len(feed.keys("ledger")) == 1
    assert feed.places() == sorted((n, row, f"{n} {row}") for n in names for row in (1, 2))

    again = feed.land()
    assert (again.objects, again.duplicates, again.batches) == (0, 0, 0)
    assert len(feed.keys("landing")) == len(feed.keys("ledger")) == 1


def test_content_lands_once_under_any_name_and_a_name_lands_again_with_other_content(
    feed: Feed,
) -> None:
    feed.put_all({"a": lines(1), "b": lines(2), "c": lines(1), "blank": b"\n", "also blank": b"\n"})
    first = feed.land()
    assert (first.objects, first.duplicates, first.landed) == (3, 2, 2)

    feed.put_all({"a": lines(3), "b": lines(2), "d": lines(2), "e": gzip.compress(lines(2))})
    second = feed.land()
    assert (second.objects, second.duplicates, second.landed) == (2, 1, 2)
    assert feed.ids() == ["1", "2", "2", "3"]  # packed otherwise, the bytes are others

    third = feed.land()
    assert (third.objects, third.duplicates, third.batches) == (0, 0, 0)
    assert [e.received for e in feed.entries()] == [2, 2]


def test_what_is_no_delivery_is_neither_landed_nor_an_error(feed: Feed) -> None:
    bad = {"_SUCCESS": b"", ".x.json": lines(1), "y/": b"", "y/_tmp.json": lines(2), "z.json": b""}
    bad |= {"_temporary/0/a.json": lines(4), "a.json.crc": b"crc", "y_$folder$": b"x"}
    feed.put_all(bad | {"part/a b+%20ü.json": lines(3)})
    done = feed.land()
    assert (done.objects, done.refused) == (1, [])
    assert feed.places() == [("part/a b+%20ü.json", 1, "3")]
    # It is one once it is written.
    feed.put_all({"z.json": lines(5)})
    assert feed.land().objects == 1


def test_objects_of_each_form_land_from_one_inbox(mixed: Feed) -> None:
    csv = b"Event ID,value,more\nc1,x,\nc2,y,z\n"
    mixed.put_all(
        {
            "a.csv": csv,
            "b.csv.gz": gzip.compress(csv.replace(b"c", b"z")),
            "c.parquet": parquet(event_id=["p1", "p2"], value=[1, None]),
            "d.json": b'{"ID":"j1","x":1}\n',
            "e.json.gz": gzip.compress(b'\xef\xbb\xbf{"id":"g1"}\r\n'),
        }
    )
    done = mixed.land()
    assert (done.objects, done.landed, done.batches, done.refused) == (5, 8, 1, [])
    rows = {r["id"]: (r["value"], r["_extra"], r["_source_row"]) for r in mixed.rows()}
    assert rows == {
        "c1": ("x", '{"more": ""}', 2),
        "c2": ("y", '{"more": "z"}', 3),
        "z1": ("x", '{"more": ""}', 2),
        "z2": ("y", '{"more": "z"}', 3),
        "p1": ("1", None, 1),
        "p2": (None, None, 2),
        "j1": (None, '{"x":1}', 1),
        "g1": (None, None, 1),
    }


def test_refused_objects_are_told_and_tried_again_until_they_are_mended(mixed: Feed) -> None:
    whole = gzip.compress(lines(*range(500)), mtime=0)
    bad = {
        "cut.json.gz": (whole[:-20], "is not whole: "),
        "flipped.json.gz": (whole[:-6] + b"\0" + whole[-5:], "is not whole: CRC check failed"),
        "empty.csv": (EMPTY, "is empty"),
        "heading.csv": (b"id,value\n", "has a heading and no rows"),
        "columns.csv": (b"value\n1\n", "no column for id; the file has value"),
        "latin.csv": (b"id,value\n1,\xfc\n", "is not in UTF-8: line 2"),
        "broken.json": (lines(1) + b"{\n{\n", "2 of 3 rows of "),
        "cut.parquet": (parquet(id=["1"])[:-9], "cannot be read as Parquet"),
        "twin of cut.json.gz": (whole[:-20], "has the bytes of one that is refused"),
    }
    mixed.put_all({n: body for n, (body, _) in bad.items()} | {"good.json": lines("good")})
    name = mixed.source.full_name
    said = mixed.stack.cdp("land", name, ok=False, CDP_SOURCES_DIR=str(mixed.folder)).splitlines()
    assert f"{name}: 1 objects landed, 1 rows, 0 in quarantine, 0 objects delivered before" in said
    assert said[-2] == "error: 9 objects were not landed"
    again = mixed.land()
    assert again.objects == 0
    for told in said, [f"error: {e.problem}" for e in again.refused]:
        for key, (_, words) in bad.items():
            (line,) = (x for x in told if x.startswith("error: ") and f"/{key}" in x)
            assert words in line
    assert mixed.ids() == ["good"]
    assert mixed.keys("staged") == mixed.keys("quarantine") == []

    for key in bad:
        mixed.remove(key)
    mixed.put_all({"cut.json.gz": whole, "empty.csv": b"id\nnow\n", "heading.csv": b"id,value\n"})
    (error,) = mixed.land().refused
    assert error.problem == f"{mixed.key('heading.csv')} has a heading and no rows"
    mixed.put("heading.csv", b"id\nnow too\n")
    assert mixed.land().objects == 1
    assert mixed.ids() == sorted(["good", "now", "now too", *map(str, range(500))])


def test_quarantine_holds_each_bad_line_with_its_object_number_and_reason(feed: Feed) -> None:
    feed.put_all(
        {
            "a.json": lines("a1") + b'\n{"value":"v"}\n' + lines("a4"),
            "b.json": b'[1]\n{"id":"M\xfcller"}\n{"id": \n' + lines("b4", "b5", "b6"),
            "c.json": lines("c1"),
        }
    )
    done = feed.land()
    assert (done.landed, done.quarantined, done.refused) == (6, 4, [])
    found = sorted(feed.rows("quarantine"), key=lambda r: (r["_source_file"], r["_source_row"]))
    assert [(r["_source_file"], r["_source_row"], r["text"], r["reason"]) for r in found] == [
        (feed.key("a.json"), 3, '{"value":"v"}', "id is missing"),
        (feed.key("b.json"), 1, "[1]", "it is no JSON object"),
        (feed.key("b.json"), 2, '{"id":"M\\xfcller"}', "it is not in UTF-8"),
        (feed.key("b.json"), 3, '{"id": ', "it is not JSON"),
    ]
    (entry,) = feed.entries()
    assert [(i.received, i.quarantined) for i in entry.inputs] == [(3, 1), (6, 3), (1, 0)]
    assert (entry.received, entry.landed, entry.quarantined) == (10, 6, 4)
    assert {r["_landed_at"].isoformat() for r in found} == {entry.landed_at}

    name = feed.source.full_name
    listed = feed.cdp("quarantine", "list", name).splitlines()
    reasons = ("id is missing", "it is no JSON object", "it is not JSON", "it is not in UTF-8")
    assert [" ".join(line.split()) for line in listed[1:-1]] == [
        f"{name} 1 landing {reason} 1" for reason in reasons
    ]
    table = name.replace(".", "_")
    assert listed[-1].startswith(f"staging.stg_{table}__rejected is not built")
    shown = feed.cdp("quarantine", "show", name, "--reason", "it is not JSON").splitlines()
    assert shown == [f"batch 1, {feed.key('b.json')} row 3: it is not JSON", '  {"id": ']
    assert feed.cdp("quarantine", "show", name, "--limit", "2").count("batch 1, ") == 2


@pytest.mark.usefixtures("small")
def test_batches_are_bounded_and_a_large_object_is_one_of_its_own(feed: Feed) -> None:
    bodies = {f"{n:03}.json": lines(*range(n, n + n % 9)) for n in range(60)}
    bodies["030-large.json"] = b"{\n" + lines(*range(1000)) + b"{" * 5000 + b"\n"
    bodies["031-large.json.gz"] = gzip.compress(random.Random(1).randbytes(3000).hex().encode())  # noqa: S311
    bodies["040-large.csv"] = b"id\n" + b"".join(b"%d\n" % n for n in range(1000))
    feed.put_all(bodies)
    done = feed.land()
    refused = ["031-large.json.gz", "040-large.csv"]
    for error, name in zip(done.refused, refused, strict=True):
        assert f" of {feed.key(name)} cannot be parsed" in error.problem
    wanted = {k: b for k, b in bodies.items() if k not in refused}
    large = [e.inputs for e in feed.entries() if len(e.inputs) == 1]
    assert feed.key("030-large.json") in {i.name for inputs in large for i in inputs}
    assert max(len(e.inputs) for e in feed.entries()) > 1
    for entry in feed.entries():
        sizes = [len(wanted[i.name.removeprefix(feed.source.location)]) for i in entry.inputs]
        assert len(sizes) == 1 or sum(sizes) <= SMALL["BATCH_BYTES"]
    assert feed.places() == sorted(
        (name, number, json.loads(line)["id"])
        for name, body in wanted.items()
        for number, line in enumerate(body.splitlines(), 1)
        if line.endswith(b"}")
    )
    assert [r["_source_row"] for r in feed.rows("quarantine")] == [1, 1002]


@pytest.mark.usefixtures("small")
def test_a_large_object_that_is_bad_at_its_end_leaves_no_row(mixed: Feed) -> None:
    """Nor does it with an empty object after it."""
    rows = b"1,x\n" * (2 * csv_file.BLOCK_BYTES // 4)
    mixed.put_all({"a.csv": b"id,value\n" + rows + b'"', "b.json": EMPTY, "c.json": lines("c")})
    done = mixed.land()
    first, second = done.refused
    assert first.problem.startswith(f"{mixed.key('a.csv')} holds a quote that is not closed")
    assert second.problem == f"{mixed.key('b.json')} is empty"
    assert mixed.ids() == ["c"]


@pytest.mark.usefixtures("small")
def test_runs_at_once_land_each_object_once(feed: Feed) -> None:
    bodies = {f"{n:03}.json": lines(f"{n} a", f"{n} b") for n in range(300)}
    feed.put_all(bodies)
    with ThreadPoolExecutor(3) as pool:
        done = [f.result() for f in [pool.submit(feed.land) for _ in range(3)]]
    assert sum(d.objects for d in done) == 300
    assert sum(d.duplicates for d in done) == 0
    assert feed.ids() == sorted(f"{n} {c}" for n in range(300) for c in "ab")
    assert len(feed.entries()) == sum(d.batches for d in done) == feed.ledger.length() > 3
    assert feed.keys("staged") == []


def test_runs_killed_before_and_after_any_write_lose_and_double_nothing(feed: Feed) -> None:
    """A batch is at most seven writes: two objects staged, the entry, two copied, two removed."""
    bodies = {}
    for n in range(250):
        bodies[f"{n}.json"] = lines(*(f"{n} {c}" for c in "abcd")) + b"bad %d\n" % n
    feed.put_all(bodies)
    moments = list(itertools.product(["before-call", "after-call"], range(1, 9)))
    random.Random(7).shuffle(moments)  # noqa: S311 - the same at every run
    runs = commands.processes().Process(
        target=killed.land, args=(feed.source, feed.settings, feed.folder, moments)
    )
    runs.start()
    runs.join()
    assert runs.exitcode == 0
    assert 1 < feed.ledger.length() < 25
    feed.land()
    assert feed.land().objects == 0
    assert feed.ids() == sorted(f"{n} {c}" for n in range(250) for c in "abcd")
    assert sorted(r["text"] for r in feed.rows("quarantine")) == sorted(
        f"bad {n}" for n in range(250)
    )
    entries = feed.entries()
    assert sum(e.landed for e in entries) == 4 * sum(e.quarantined for e in entries) == 1000
    assert feed.keys("landing") == sorted(part.key for e in entries for part in e.parts)
    assert feed.keys("quarantine") == sorted(part.key for e in entries for part in e.rejects)


def test_a_run_killed_after_it_entered_a_batch_is_completed_by_the_next(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.put_all({"a": lines(1) + b"x\n", "b": lines(2)})
    monkeypatch.setattr(Ledger, "publish", _die)
    with pytest.raises(KeyboardInterrupt):
        feed.land()
    monkeypatch.undo()
    assert len(feed.keys("staged")) == 2
    assert feed.keys("landing") == feed.keys("quarantine") == []
    feed.put("c", lines(3))
    assert feed.land().objects == 1
    assert feed.ids() == ["1", "2", "3"]
    assert [r["text"] for r in feed.rows("quarantine")] == ["x"]
    assert feed.keys("staged") == []


def test_an_object_that_is_gone_or_changed_since_it_was_listed_is_left_to_the_next_run(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.put_all({"a": lines(1), "b": lines(2), "c": lines(3)})
    listed = inbox._Inbox._waiting

    def late(self: inbox._Inbox, *arguments: object) -> list[inbox.Object]:
        found = listed(self, *arguments)  # type: ignore[arg-type]
        feed.remove("a")
        feed.put("b", lines("b, changed"))
        return found

    monkeypatch.setattr(inbox._Inbox, "_waiting", late)
    assert feed.land().objects == 1
    monkeypatch.undo()
    assert feed.land().objects == 1
    assert feed.ids() == ["3", "b, changed"]


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_store_that_is_away_is_told_in_one_line_and_nothing_is_lost(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.put("a", lines(1))
    line = feed.refused("land", feed.source.full_name, CDP_S3_ENDPOINT="http://127.0.0.1:9")
    assert line.startswith("error: the object store does not do it: ")

    def away(*_: object) -> None:
        raise S3UploadFailedError("503")

    monkeypatch.setattr(Ledger, "stage", away)
    with pytest.raises(CdpError, match="the object store does not do it: 503"):
        feed.land()
    monkeypatch.undo()
    assert feed.land().landed == 1
    assert feed.ids() == ["1"]


def test_a_system_or_no_name_lands_every_inbox_and_a_source_without_one_wants_a_file(
    feed: Feed,
) -> None:
    system = feed.source.source
    more = feed.beside("more", f"location: inbox/{system}/m/")
    files = feed.beside("files", "")
    feed.put("a", lines(1))
    more.put("a", lines(2))
    said = feed.cdp("land", system)
    assert f"{system}.events: 1 objects landed" in said
    assert f"{system}.more: 1 objects landed" in said
    assert f"{system}.files" not in said
    more.put("b", lines(3) + b"{\n" * 5)
    feed.put("b", lines(4))
    said = feed.stack.cdp("land", ok=False, CDP_SOURCES_DIR=str(feed.folder))
    assert said.count(f"error: 5 of 6 rows of {more.key('b')} cannot be parsed") == 1
    assert "error: 1 objects were not landed" in said
    assert (feed.ids(), more.ids()) == (["1", "4"], ["2"])
    with pytest.raises(CdpError, match=f"{system}.files has no inbox"):
        files.land()


def test_every_second_it_lands_what_is_new_until_it_is_ended(feed: Feed) -> None:
    feed.put_all({"a": lines(1), "bad": b"{\n"})
    name = feed.source.full_name
    run = subprocess.Popen(
        [CDP, "land", name, "--every", "1s"],
        env=feed.environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout
    try:
        _expect(run.stdout, f"{name}: 1 objects landed")
        for _ in range(2):  # told, and tried again
            _expect(run.stdout, f"error: 1 of 1 rows of {feed.key('bad')} cannot be parsed")
        feed.put_all({"bad": lines("mended"), "c": lines(3)})
        started = time.monotonic()
        _expect(run.stdout, f"{name}: 2 objects landed")
        assert time.monotonic() - started < 30
        run.send_signal(signal.SIGTERM)
        assert run.wait(timeout=30) == 0
    finally:
        run.kill()
        run.wait()
        run.stdout.close()
    assert feed.ids() == ["1", "3", "mended"]


def _expect(stream: object, start: str) -> None:
    """Read lines until one that begins so."""
    seen = []
    for line in stream:  # type: ignore[attr-defined]
        seen.append(line)
        if line.startswith(start):
            return
    raise AssertionError("".join(seen))
