"""The SQL beside this module, filled with the parameters of a generation: checked numbers only."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from cdp.generate import parameters
from cdp.generate.parameters import Parameters

if TYPE_CHECKING:
    import jinja2

FOLDER = Path(__file__).parent / "sql"


@cache
def _environment() -> "jinja2.Environment":
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - it is SQL, of numbers that were checked
        keep_trailing_newline=True,
        extensions=["jinja2.ext.do"],
    )


def render(name: str, asked: Parameters, **more: int | str) -> str:
    """The text of sql/NAME.sql. In it, `p` is the parameters; `more` is what differs by chunk."""
    return (
        _environment()
        .get_template(f"{name}.sql")
        .render(
            p=asked,
            kinds=parameters.DIRT_KINDS,
            regions=parameters.REGIONS,
            places=parameters.PLACES,
            step=parameters.STEP,
            bits=parameters.CUSTOMER_BITS,
            **more,
        )
    )
