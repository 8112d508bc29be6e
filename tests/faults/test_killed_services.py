"""What happens when a part is killed, or all of them are ended."""

import psutil
import pytest

from cdp.stack.services import store_sockets
from cdp.stack.supervisor import Supervisor
from tests.support.answers import assert_answers
from tests.support.stack import Stack

SERVICES = ("store", "spark", "trino", "postgres")


def kill(pid: int) -> None:
    """kill -9, and wait until the process is gone."""
    process = psutil.Process(pid)
    process.kill()
    process.wait(timeout=30)


@pytest.mark.parametrize(
    "services",
    [SERVICES, *(pytest.param((name,), marks=pytest.mark.full) for name in SERVICES)],
    ids=",".join,
)
def test_killed_parts_come_back_with_their_data(stack: Stack, services: tuple[str, ...]) -> None:
    before = {name: stack.pid(name) for name in services}
    for pid in before.values():
        kill(pid)
    stack.cdp("up")
    for name, pid in before.items():
        assert stack.pid(name) != pid
    assert_answers(stack)


def test_a_killed_supervisor_leaves_nothing_that_up_cannot_mend(stack: Stack) -> None:
    kill(Supervisor(stack.state_dir).call("getPID"))
    assert stack.processes() != []
    shown = stack.cdp("doctor", ok=False)
    assert "services without a supervisor are running" in shown
    stack.cdp("up")
    assert sum("weed" in p.name() for p in stack.processes()) == 1
    assert_answers(stack)


def test_down_leaves_no_process_and_up_finds_the_data(stack: Stack) -> None:
    shown = stack.cdp("down")
    assert shown == "the services are down\n"
    assert stack.processes() == []
    assert not [path for path in store_sockets(stack.settings()) if path.exists()]
    assert stack.cdp("down") == "the services are down\n"
    stack.cdp("status", ok=False)
    stack.cdp("up")
    assert_answers(stack)
