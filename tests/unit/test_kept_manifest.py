"""What dbt has read is used again for as long as nothing that it reads has changed."""

from pathlib import Path

import pytest

from cdp import kept_manifest
from cdp.settings import Settings, settings


@pytest.fixture
def given() -> Settings:
    return settings()


def test_what_names_tables_otherwise_is_another_key(
    given: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = ["--vars", '{"from_date": "2025-01-01"}']
    before = kept_manifest.key([], "local", given)
    assert kept_manifest.key([], "local", given) == before
    others = [kept_manifest.key(days, "local", given), kept_manifest.key([], "ci", given)]
    for name in ("CDP_CI_RUN", "DBT_SOMETHING"):
        monkeypatch.setenv(name, "other")
        others.append(kept_manifest.key([], "local", given))
    assert len({before, *others}) == 5


def test_nothing_is_used_that_another_key_or_another_command_has_written(tmp_path: Path) -> None:
    path = tmp_path / "partial_parse.msgpack"
    assert kept_manifest.load("a key", path) is None
    # dbt has written nothing, as on a full disk.
    kept_manifest.keep("a key", path)
    assert not list(tmp_path.iterdir())
    path.write_bytes(b"what dbt has read")
    kept_manifest.keep("a key", path)
    assert kept_manifest.load("another key", path) is None
    path.write_bytes(b"what another command has read")
    assert kept_manifest.load("a key", path) is None
