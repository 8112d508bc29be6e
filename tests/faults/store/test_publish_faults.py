"""A publish whose catalog and store are away for a while."""

import threading
from typing import Any

import pytest
import requests

from cdp.catalog import Catalog
from cdp.errors import CdpError
from cdp.publish import patience
from cdp.stack.supervisor import Supervisor
from tests.support.tables import Tables
from tests.support.waiting import wait_for


def test_a_publish_waits_for_a_catalog_and_a_store_that_are_away(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than their restart takes, and less than the patience that it has."""
    tables.make("one", "two")
    run_id = tables.run(one=2, two=2)
    asked = 0
    is_away = patience._is_away

    def heard(error: BaseException) -> bool:
        nonlocal asked
        asked += 1
        return is_away(error)

    monkeypatch.setattr(patience, "_is_away", heard)
    # The store is the catalog, too.
    Supervisor(tables.stack.state_dir).call("stopProcess", "store")
    done: list[int] = []
    publishing = threading.Thread(target=lambda: done.append(tables.publish(run_id)))
    publishing.start()
    wait_for(lambda: asked >= 8)
    assert not done
    tables.stack.up()
    publishing.join(patience.PATIENCE)
    assert len(done) == 1
    assert tables.all_rows() == [[1, 2], [1, 2]]
    assert tables.known(run_id).state == "published"


def test_what_stays_away_longer_is_told_and_the_next_command_completes_it(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.make("one", "two")
    run_id = tables.run(one=2, two=2)
    post, patient = Catalog._post, patience.PATIENCE

    def lost(self: Catalog, path: str, body: dict[str, Any]) -> None:
        """The commit is done, and its answer lost with the catalog."""
        post(self, path, body)
        Supervisor(tables.stack.state_dir).call("stopProcess", "store")
        monkeypatch.setattr(Catalog, "_post", post)
        raise requests.ConnectionError("the answer was lost")

    monkeypatch.setattr(Catalog, "_post", lost)
    monkeypatch.setattr(patience, "PATIENCE", 1.0)
    with pytest.raises(CdpError, match="the catalog or the store does not do it") as told:
        tables.publish(run_id)
    assert "the next command completes" in told.value.fix
    monkeypatch.setattr(patience, "PATIENCE", patient)
    tables.stack.up()
    tables.recover()
    assert tables.all_rows() == [[1, 2], [1, 2]]
    assert tables.known(run_id).state == "published"
