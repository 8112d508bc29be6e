"""Where lineage goes, in the words of each who tells it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from cdp.lineage import transport
from cdp.lineage.names import uuid_of
from cdp.settings import ROOT, Settings
from cdp.spark_conf import render


def asked(value: str) -> Settings:
    return Settings.model_validate({"lineage": value})


@pytest.mark.parametrize(
    ("address", "server", "path"),
    [
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000", "api/v1/lineage"),
        ("http://127.0.0.1:5000/", "http://127.0.0.1:5000", "api/v1/lineage"),
        ("https://host/some/path?tenant=a", "https://host", "some/path?tenant=a"),
    ],
)
def test_an_endpoint_is_a_server_and_a_path_that_is_openlineages_own_when_not_told(
    address: str, server: str, path: str
) -> None:
    assert transport.address(asked(address)) == (server, path)
    told = transport.of_python("cdp", asked(address))["transport"]
    assert (told["url"], told["endpoint"]) == (server, path)
    assert f"spark.openlineage.transport.url {server}" in properties(asked(address))


def test_in_a_folder_each_who_tells_has_a_file(tmp_path: Path) -> None:
    found = asked(str(tmp_path / "new" / "folder"))
    told = transport.of_python("cdp", found)["transport"]
    assert told["log_file_path"] == str(tmp_path / "new" / "folder" / "cdp.jsonl")
    spark = tmp_path / "new" / "folder" / "spark.jsonl"
    assert f"spark.openlineage.transport.location {spark}" in properties(found)


def properties(found: Settings) -> set[str]:
    """Spark's, with one blank between name and value."""
    missing = dict.fromkeys(
        (
            "CDP_SPARK_CLASS_PATH",
            "CDP_SPARK_CONNECT_PORT",
            "CDP_SPARK_UI_PORT",
            "CDP_SPARK_DRIVER_MEMORY",
            "CDP_SPARK_WORKER_MEMORY",
            "CDP_SPARK_JAVA_OPTIONS",
        ),
        "",
    )
    text = render("local", found.environment() | missing | transport.of_spark(found), "lineage")
    return {" ".join(line.split()) for line in text.splitlines()}


@pytest.mark.parametrize("value", ["ftp://host", "http://", str(ROOT / "README.md")])
def test_what_is_neither_a_folder_nor_an_address_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="folder"):
        asked(value)


def test_without_the_setting_nothing_is_told() -> None:
    assert transport.of_python("cdp", asked(""))["transport"] == {"type": "noop"}
    assert transport.of_spark(asked("")) == {}


def test_the_id_of_a_run_in_lineage_is_always_the_same() -> None:
    run = "run_20241231_060000_1f2e3d"
    assert uuid_of(run, "build") == "5f873012-8997-5919-ba6c-a8280f09f5e7"
    assert uuid_of(run, "audit") != uuid_of(run, "build")
