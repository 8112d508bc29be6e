"""After a publish: the state says what is published now."""

from collections.abc import Callable, Sequence

from cdp.catalog import Catalog
from cdp.errors import CdpError
from cdp.plan.state import States
from cdp.publish import journal
from cdp.publish.journal import Move, Run
from cdp.publish.patience import patiently
from cdp.settings import Settings


def keep_state(
    run: Run, number: int, changed: Sequence[Move], settings: Settings, say: Callable[[str], None]
) -> None:
    """Take a run into the state that was published as a number, or had changed nothing: 0.

    What fails here is said, and costs the next build some work: the publish is done.
    """
    heads = {m.table: m.old for m in run.begun} | {m.table: m.new for m in changed}
    try:
        given = patiently(lambda: Catalog(settings).load(journal.TABLE))
        moves = [Move(table, None, head) for table, head in heads.items()]
        States(settings).published(run.run_id, number, moves, given.head() if given else None)
    except CdpError as error:
        say(f"warning: the next build does more than it has to: {error.problem}")
