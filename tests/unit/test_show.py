"""How answers are shown to people."""

import io

import pytest
from rich.console import Console
from rich.text import Text

from cdp import show
from cdp.trino import Answer

NAMES = [f"a_long_name_of_column_{n:02}" for n in range(12)]
WIDE = Answer(NAMES, ["bigint"] * 12, [[n * 1000 for n in range(12)], [None] * 12])


def shown(found: Answer, width: int, terminal: bool) -> str:
    target = io.StringIO()
    console = Console(file=target, width=width, force_terminal=terminal, no_color=True)
    show.answer(found, "table", console)
    return target.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_rows_that_are_wider_than_a_terminal_are_shown_one_by_one(width: int) -> None:
    text = shown(WIDE, width, terminal=True)
    assert "…" not in text
    for name in NAMES:
        assert text.count(name) == 2
    assert "11,000" in text
    plain = Text.from_ansi(text).plain
    assert plain.index("row 1") < plain.index("11,000") < plain.index("row 2")
    assert max(map(len, plain.splitlines())) <= width


def test_a_file_gets_the_whole_width() -> None:
    heading, *rows = shown(WIDE, 80, terminal=False).splitlines()
    assert heading.split() == NAMES
    assert len(rows) == 2


def test_rows_that_fit_are_a_table() -> None:
    text = shown(Answer(["a", "b"], ["bigint", "varchar"], [[1, "x"], [2, None]]), 40, True)
    assert len(text.splitlines()) == 3
