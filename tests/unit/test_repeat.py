"""Durations, and work that is done again and again until somebody ends it."""

import os
import signal

import pytest

from cdp.errors import CdpError
from cdp.repeat import repeat, seconds


@pytest.mark.parametrize(
    ("text", "found"),
    [("30s", 30), ("5m", 300), ("1h", 3600), ("0.5s", 0.5), ("1.5m", 90), (" 2s ", 2), ("007s", 7),
     ("24h", 86_400), ("0.001s", 0.001)],
)  # fmt: skip
def test_duration_is_a_number_and_a_unit(text: str, found: float) -> None:
    assert seconds(text) == found


@pytest.mark.parametrize(
    "text",
    ["", "30", "s", "0s", "0.0m", "-1s", "+1s", "1 s", "1d", "1S", "1ms", "1s2s", "1h30m", "1e3s",
     "1,5s", ".5s", "1.s", "infs", "nans", "soon", "1s;", "0x1s"],
)  # fmt: skip
def test_what_is_no_duration_is_refused_with_ones_that_are(text: str) -> None:
    with pytest.raises(CdpError) as error:
        seconds(text)
    assert error.value.problem == f"{text!r} is not a duration"
    assert error.value.fix == "write it as 30s, 5m or 1h"


def test_without_a_period_it_is_done_once_and_a_failure_is_raised() -> None:
    done: list[int] = []
    repeat(None, lambda: done.append(1), pytest.fail)
    assert done == [1]
    with pytest.raises(CdpError, match="no"):
        repeat(None, _refuse, pytest.fail)


def test_wrong_period_is_refused_before_anything_is_done() -> None:
    with pytest.raises(CdpError, match="'often' is not a duration"):
        repeat("often", lambda: pytest.fail("it was done"), pytest.fail)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_with_a_period_it_is_done_again_until_a_signal_and_the_handlers_are_back(
    number: signal.Signals,
) -> None:
    before = [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)]
    done: list[int] = []

    def act() -> None:
        done.append(1)
        if len(done) == 3:
            os.kill(os.getpid(), number)

    repeat("0.01s", act, pytest.fail)
    assert len(done) == 3
    assert [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)] == before


def test_signal_in_the_middle_lets_the_work_come_to_its_end() -> None:
    done: list[str] = []

    def act() -> None:
        done.append("begun")
        os.kill(os.getpid(), signal.SIGTERM)
        done.append("ended")

    repeat("1h", act, pytest.fail)
    assert done == ["begun", "ended"]


def test_failure_is_told_with_its_fix_and_the_next_time_tries_again() -> None:
    said: list[str] = []
    waiting = [_refuse, _refuse, _end]

    def act() -> None:
        waiting.pop(0)()

    repeat("0.01s", act, said.append)
    assert said == ["error: no\n  fix: do it"] * 2
    assert not waiting


def test_what_is_no_failure_of_the_work_ends_it() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ZeroDivisionError):
        repeat("1h", lambda: print(1 / 0), pytest.fail)
    assert signal.getsignal(signal.SIGTERM) == before


def _refuse() -> None:
    raise CdpError("no", "do it")


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
