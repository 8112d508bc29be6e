"""What is warned of about replication slots, and what is said to do."""

from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cdp.capture.slots import Slot, warnings
from cdp.settings import Settings

READ = Slot("cdp_x_y", True, "reserved", 4 * 10**9, 0, 0.0, 100)


@pytest.mark.parametrize(
    ("slot", "words"),
    [
        (READ, ""),
        (replace(READ, retained_bytes=1_500_000_000), "keeps 1.5 GB of its log"),
        (replace(READ, safe_wal_size=400_000_000), "is lost after another 0.4 GB"),
        (replace(READ, wal_status="unreserved"), "will be lost at the next checkpoint"),
        (replace(READ, wal_status="lost", retained_bytes=None), "is lost, changes are missing"),
        (replace(READ, safe_wal_size=None, lag_bytes=None, lag_seconds=None), ""),
    ],
    ids=["well", "much log", "little allowed", "unreserved", "lost", "no limit"],
)
def test_a_slot_in_danger_is_warned_of_with_what_to_do(slot: Slot, words: str) -> None:
    found = warnings([slot], Settings())
    assert len(found) == bool(words)
    assert all(words in line and "cdp capture" in line for line in found)


def test_limit_is_a_setting() -> None:
    kept = replace(READ, retained_bytes=3_000_000)
    assert warnings([kept], Settings.model_validate({"capture_wal_warn": "4MB"})) == []
    (line,) = warnings([kept], Settings.model_validate({"capture_wal_warn": "2MB"}))
    assert "0.003 GB" in line


def test_a_disk_that_the_log_could_fill_is_warned_of(tmp_path: Path) -> None:
    huge = replace(READ, retained_bytes=psutil.disk_usage(str(tmp_path)).free)
    local = Settings(state_dir=tmp_path, with_services=("postgres",))
    theirs = Settings(state_dir=tmp_path)
    assert any("of disk free" in line for line in warnings([huge], local))
    assert not any("of disk free" in line for line in warnings([READ], local))
    assert not any("of disk free" in line for line in warnings([huge], theirs))
