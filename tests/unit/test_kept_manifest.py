"""What dbt has read is used again for as long as nothing that it reads has changed."""

from pathlib import Path

import pytest
from dbt.contracts.graph.manifest import Manifest, ManifestMetadata

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


@pytest.fixture
def manifest() -> Manifest:
    adapter = ManifestMetadata(adapter_type="spark")
    return Manifest(metadata=adapter, env_vars={"OF_A_MODEL": "as it was"})


def test_a_manifest_is_loaded_by_its_key_and_in_the_environment_that_its_models_read(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.msgpack"
    assert kept_manifest.load("a key", path) is None
    kept_manifest.keep("a key", manifest, path)
    assert kept_manifest.load("another key", path) is None
    assert kept_manifest.load("a key", path) is None
    monkeypatch.setenv("OF_A_MODEL", "as it was")
    assert kept_manifest.load("a key", path).env_vars == manifest.env_vars
    monkeypatch.setenv("OF_A_MODEL", "otherwise")
    assert kept_manifest.load("a key", path) is None


def test_nothing_damaged_is_used_and_nothing_is_left_of_what_cannot_be_kept(
    tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_A_MODEL", "as it was")
    path = tmp_path / "kept.msgpack"
    kept_manifest.keep("a key", manifest, path)
    path.write_bytes(path.read_bytes()[:-1])
    assert kept_manifest.load("a key", path) is None
    # What stands in its place cannot be replaced.
    path.unlink()
    path.mkdir()
    kept_manifest.keep("a key", manifest, path)
    assert list(tmp_path.iterdir()) == [path]
    assert kept_manifest.load("a key", path) is None
