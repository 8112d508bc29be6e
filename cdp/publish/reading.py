"""dbt's reading of the project, in a thread: it takes seconds of which little is waiting."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from cdp import transform
from cdp.errors import CdpError
from cdp.publish.journal import Run
from cdp.publish.publisher import Publisher
from cdp.settings import Settings


class Reading:
    """dbt's reading of the project, which takes seconds: begun while others are waited for."""

    def __init__(self, arguments: Sequence[str], settings: Settings) -> None:
        self._arguments, self._settings = arguments, settings
        self._begun: Future[transform.Project] | None = None

    @property
    def is_begun(self) -> bool:
        return self._begun is not None

    def begin(self) -> Future[transform.Project]:
        if self._begun is None:
            pool = ThreadPoolExecutor(1)
            self._begun = pool.submit(transform.parse, self._arguments, self._settings)
            pool.shutdown(wait=False)
        return self._begun

    def project(self) -> transform.Project:
        """Raises CdpError when dbt cannot read it."""
        return self.begin().result()

    def project_of(self, run: Run, publisher: Publisher) -> transform.Project:
        """The project. A run that has begun is discarded when dbt cannot read it."""
        try:
            return self.project()
        except CdpError:
            publisher.discard(run)
            raise
