"""What commands do to runs, as events: begun, and completed or failed.

Whoever listens may be away, slow or wrong: then a line says so, the rest of the command's events
are not sent, and the command goes on as if nobody had asked.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from cdp.catalog import Catalog
from cdp.lineage import transport
from cdp.lineage.names import CDP, PRODUCER, Tables, uuid_of
from cdp.publish.journal import Move
from cdp.settings import Settings

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import OutputDataset, RunEvent
    from openlineage.common.provider.dbt.facets import ParentRunMetadata

    from cdp.lineage.dbt import Heard

Say = Callable[[str], None]
Name = Literal["build", "audit", "publish"]


class Teller:
    """Sends events, each with the run that they are of, until the first that is not taken."""

    def __init__(self, run_id: str, settings: Settings, say: Say) -> None:
        self.settings = settings
        self.say = say
        self.run_id = run_id
        self._client: OpenLineageClient | None = None
        if settings.lineage:
            # What it has to say is said once, below.
            logging.getLogger("openlineage").setLevel(logging.CRITICAL)
            self._try(self._open)

    @property
    def is_heard(self) -> bool:
        return self._client is not None

    def tell(self, events: Callable[[], "Iterable[RunEvent]"]) -> None:
        """events: makes them; what it raises is no failure of the command, either."""
        if self._client is not None:
            self._try(lambda: self._emit(events()))

    def _open(self) -> None:
        from openlineage.client import OpenLineageClient

        self._client = OpenLineageClient(
            config=transport.of_python(CDP, self.settings)
            | {"tags": {"run": {"run_id": self.run_id}}}
        )

    def _emit(self, events: "Iterable[RunEvent]") -> None:
        for event in events:
            if self._client is not None:
                self._client.emit(event)

    def _try(self, what: Callable[[], Any]) -> None:
        try:
            what()
        except Exception as error:  # noqa: BLE001 - whatever keeps an event from being sent
            self._client = None
            reason = (str(error).splitlines() or [""])[0] or type(error).__name__
            self.say(f"lineage is not sent, the run goes on: {reason}")


class Job:
    """What a command does to a run.

    outputs: the tables that readers see from then on, with the snapshot of each.
    """

    def __init__(self, name: Name, run_id: str, settings: Settings, say: Say) -> None:
        self.name = name
        self.id = uuid_of(run_id, name)
        self.outputs: list[Move] = []
        self._teller = Teller(run_id, settings, say)
        self.parent: ParentRunMetadata | None = None
        if self._teller.is_heard:
            from openlineage.common.provider.dbt.utils import get_parent_run_metadata

            # Airflow's task, by the variables that it gives to its commands.
            self.parent = get_parent_run_metadata()
        self._catalog = Catalog(settings)

    def heard(self) -> "Heard | None":
        """A listener to dbt that sends events of its nodes; None when nobody asks."""
        if not self._teller.is_heard:
            return None
        from cdp.lineage.dbt import Heard

        return Heard()

    def tell_of_dbt(self, heard: "Heard | None", target: str) -> None:
        """Tell what was heard of a build that is over."""
        if heard:
            from cdp.lineage.dbt import events

            self._teller.tell(lambda: events(heard, target, self, Tables(self._catalog)))

    def tell(self, state: Literal["START", "COMPLETE", "FAIL"], problem: str = "") -> None:
        self._teller.tell(lambda: [self._event(state, problem)])

    def _event(self, state: str, problem: str) -> "RunEvent":
        from openlineage.client import event_v2 as told
        from openlineage.client.facet_v2 import error_message_run, job_type_job

        facets: dict[str, Any] = {"parent": self.parent.to_openlineage()} if self.parent else {}
        if problem:
            facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(problem, "python")
        kind = job_type_job.JobTypeJobFacet("BATCH", "CDP", "COMMAND")
        return told.RunEvent(
            eventType=told.RunState[state],
            eventTime=datetime.now(UTC).isoformat(),
            run=told.Run(self.id, facets),
            job=told.Job(CDP, self.name, {"jobType": kind}),
            producer=PRODUCER,
            outputs=[self._output(move) for move in self.outputs],
        )

    def _output(self, move: Move) -> "OutputDataset":
        from openlineage.client.event_v2 import OutputDataset
        from openlineage.client.facet_v2 import dataset_version_dataset

        tables = Tables(self._catalog)
        version = dataset_version_dataset.DatasetVersionDatasetFacet(str(move.new))
        facets = {"version": version, "symlinks": symlinks(tables, move.table)}
        return OutputDataset(*tables.place(move.table), facets=facets)


def symlinks(tables: Tables, table: str) -> Any:  # noqa: ANN401 - the library's own class
    """What the catalog calls a table."""
    from openlineage.client.facet_v2 import symlinks_dataset as facet

    return facet.SymlinksDatasetFacet([facet.Identifier(tables.symlink, table, "TABLE")])


@contextmanager
def job(name: Name, run_id: str, settings: Settings, say: Say) -> Iterator[Job]:
    """Tell that a command has begun with a run, and how it has ended."""
    made = Job(name, run_id, settings, say)
    made.tell("START")
    try:
        yield made
    except BaseException as error:
        made.tell("FAIL", str(error) or type(error).__name__)
        raise
    made.tell("COMPLETE")
