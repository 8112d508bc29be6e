"""A land that is killed, and the conditional put that it rests on."""

import os
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from cdp import objects
from cdp.landing import lander
from cdp.landing.ledger import Ledger
from cdp.landing.source import find
from tests.support.landing import ROWS, keys, write_files, write_source
from tests.support.stack import Stack


def test_a_land_killed_after_it_was_entered_is_completed_once(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger has the batch, the landing zone has not: as after a kill between the two."""
    folder = write_source(tmp_path / "src", "entered")
    (path, *_) = write_files(tmp_path)
    found = stack.settings()
    source = find("fault.entered", folder)
    monkeypatch.setattr(Ledger, "publish", _die)
    with pytest.raises(KeyboardInterrupt):
        lander.land(Path(path), source, found)
    monkeypatch.undo()
    entry = Ledger(source, found).entry(1)
    assert entry
    assert keys(stack, "staged/fault/entered/") == [part.staged for part in entry.parts]
    assert keys(stack, "landing/fault/entered/") == []

    for _ in range(2):
        assert lander.land(Path(path), source, found) == lander.Landed(ROWS, 0, already=True)
        assert keys(stack, "staged/fault/entered/") == []
        assert keys(stack, "landing/fault/entered/") == [part.key for part in entry.parts]
    assert keys(stack, "ledger/fault/entered/") == ["ledger/fault/entered/000000000001.json"]


def test_a_land_killed_before_it_was_entered_has_done_nothing(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has staged is litter: nobody reads it, and it is in nobody's way."""
    folder = write_source(tmp_path / "src", "staged")
    (path, *_) = write_files(tmp_path)
    found = stack.settings()
    source = find("fault.staged", folder)
    monkeypatch.setattr(Ledger, "enter", _die)
    with pytest.raises(KeyboardInterrupt):
        lander.land(Path(path), source, found)
    monkeypatch.undo()
    (litter,) = keys(stack, "staged/fault/staged/")
    assert keys(stack, "landing/fault/staged/") == keys(stack, "ledger/fault/staged/") == []

    assert lander.land(Path(path), source, found) == lander.Landed(ROWS, 0, already=False)
    assert len(keys(stack, "landing/fault/staged/")) == 1
    assert keys(stack, "staged/fault/staged/") == [litter]


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_an_object_that_is_already_there_is_not_overwritten(stack: Stack) -> None:
    """What the ledger rests on: the store's conditional put."""
    found = stack.settings()
    s3 = objects.client(found)
    s3.put_object(Bucket=found.bucket, Key=f"test/{os.getpid()}", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket=found.bucket, Key=f"test/{os.getpid()}", Body=b"2", IfNoneMatch="*")
