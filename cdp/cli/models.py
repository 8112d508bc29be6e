"""Commands for the versions of models: list, show, compare, promote, roll back, delete."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cdp.cli.base import DEBUG, app, console, say, settings

if TYPE_CHECKING:
    from cdp.models.registry import Registry
    from cdp.models.version import Version

models = typer.Typer(
    help="List, compare, promote and remove the versions of models.",
    epilog=DEBUG,
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(models, name="models")

Problem = Annotated[str, typer.Argument(help="A problem, such as sample.")]
Number = Annotated[int, typer.Argument(help="The number of a version.")]
Which = Annotated[str, typer.Argument(help="A version: its number, champion or challenger.")]
Json = Annotated[bool, typer.Option("--json", help="As JSON.")]


def _registry() -> "Registry":
    from cdp.models.registry import Registry

    return Registry(settings())


def _report(registry: "Registry", version: "Version") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(registry.read(version, "report.json"))
    return found


@models.command("list", epilog=DEBUG)
def list_(
    problem: Annotated[
        str | None, typer.Argument(help="A problem, such as sample; all by default.")
    ] = None,
    json_: Json = False,
) -> None:
    """List versions with their figures, and what the gate said of them."""
    from cdp.models import show

    registry = _registry()
    problems = [problem] if problem else registry.problems()
    found = [version for name in problems for version in registry.versions(name)]
    if json_:
        say(json.dumps([version.as_json() for version in found], indent=2))
    else:
        show.versions(found, console())


@models.command(epilog=DEBUG)
def show(
    problem: Problem,
    version: Which,
    card: Annotated[
        Path | None, typer.Option(help="Save the model card, a page of HTML, as this file.")
    ] = None,
    json_: Json = False,
) -> None:
    """Show a version: where it comes from, its figures, and what the gate said of it."""
    from cdp.models import show as shown

    registry = _registry()
    found = registry.version(problem, version)
    report = _report(registry, found)
    if json_:
        say(json.dumps(found.as_json() | {"report": report}, indent=2))
    else:
        shown.version(found, report, console())
    if card:
        card.write_bytes(registry.read(found, "card.html"))
        if not json_:
            say(f"{card} is written")


@models.command(epilog=DEBUG)
def compare(
    problem: Problem,
    a: Annotated[str, typer.Argument(help="The version that is champion, or as if it were.")],
    b: Annotated[str, typer.Argument(help="The version that challenges it.")],
    json_: Json = False,
) -> None:
    """Compare two versions as the gate does, and promote neither."""
    from cdp.models import show

    registry = _registry()
    old, new = registry.version(problem, a), registry.version(problem, b)
    verdict = registry.judge(old, new)
    if json_:
        numbers = {"problem": problem, "champion": old.number, "challenger": new.number}
        say(json.dumps(numbers | verdict.as_json(), indent=2))
    else:
        reports = [_report(registry, version) for version in (old, new)]
        show.compared(old, new, reports, verdict, console())


@models.command(epilog=DEBUG)
def promote(
    problem: Problem,
    version: Number,
    force: Annotated[
        str, typer.Option(help="Promote it though it fails; the reason is kept with the verdict.")
    ] = "",
) -> None:
    """Make a version the champion, if it is good enough in comparison with the one before.

    Exit code 1 when it is not, or when another promotion was faster.
    """
    _registry().promote(problem, version, say, force)


@models.command(epilog=DEBUG)
def rollback(problem: Problem) -> None:
    """Make the champion before this one champion again."""
    say(f"{_registry().rollback(problem)} is the champion again")


@models.command(epilog=DEBUG)
def delete(problem: Problem, version: Number) -> None:
    """Delete a version with its files, and release the tag of its training set.

    The champion is not deleted.
    """
    from cdp.models import workflow

    workflow.delete(problem, version, settings(), say)
