"""The command that trains models, and makes training sets again."""

from pathlib import Path
from typing import Annotated

import typer

from cdp.cli.base import DEBUG, app, say, settings
from cdp.errors import CdpError


@app.command(
    epilog="cdp train sample; cdp train population --at publish_000012; cdp train --verify MODEL. "
    "docs/models.md says what is trained, and how it is judged. " + DEBUG
)
def train(  # noqa: PLR0913, PLR0917 - its options
    problem: Annotated[
        str | None, typer.Argument(help="A problem: a file of problems/, such as sample.")
    ] = None,
    at: Annotated[
        str, typer.Option("--at", help="The tag or branch whose features are read.")
    ] = "main",
    estimator: Annotated[
        list[str] | None,
        typer.Option("--estimator", help="One that competes; repeatable. All by default."),
    ] = None,
    trials: Annotated[
        int, typer.Option("--trials", min=1, help="Parameters that each tuning tries.")
    ] = 12,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Cores; all of this machine by default.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Write the model to a new folder, and register nothing."),
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            "--truth", help="The generation that the rows are of: compare with its hazards."
        ),
    ] = None,
    verify: Annotated[
        str | None,
        typer.Option("--verify", help="Make the training set of this model again, and compare."),
    ] = None,
) -> None:
    """Train the estimators of a problem, and register the best one as challenger.

    Features are read at an Iceberg tag of the model's own. A set that leaks, a result that is too
    good to be honest and an ONNX file that answers otherwise are refused. Whatever fails leaves
    neither a version nor a tag.
    """
    import os

    from cdp.models import require_libraries

    require_libraries()
    from cdp.models import problem as problems
    from cdp.models import workflow
    from cdp.models.estimators import ESTIMATORS
    from cdp.models.judging import Asked

    if verify is not None:
        workflow.verify(verify, settings(), say)
        return
    if problem is None:
        raise CdpError(
            "no problem is named",
            f"choose from: {', '.join(problems.names(settings().problems_dir))}",
        )
    names = tuple(dict.fromkeys(estimator or ESTIMATORS))
    if unknown := set(names) - set(ESTIMATORS):
        raise CdpError(
            f"there is no estimator {', '.join(sorted(unknown))}",
            f"choose from: {', '.join(ESTIMATORS)}",
        )
    asked = Asked(names, trials, jobs or os.cpu_count() or 1)
    made = workflow.run(problem, at, folder, asked, settings(), say, truth)
    if made.version is None:
        say(f"{made.model_id} is in {folder}; open {folder}/card.html")
        return
    say(f"{made.model_id} is version {made.version} of {problem}, and its challenger")
    say(f"  its card:   cdp models show {problem} {made.version} --card card.html")
    say(f"  promote it: cdp models promote {problem} {made.version}")
