"""How jobs, runs and tables are called in events: the same by whomever they are told."""

from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from cdp.catalog import Catalog

# The namespaces of jobs, by who sends their events.
CDP, DBT, SPARK, AIRFLOW = "cdp", "dbt", "spark", "airflow"
PRODUCER = "urn:cdp-lakehouse"


def uuid_of(run_id: str, job: str) -> str:
    """The UUID of what a command does to a run, such as its `build`: always the same."""
    return str(uuid5(NAMESPACE_URL, f"{PRODUCER}:{run_id}:{job}"))


class Tables:
    """The names of tables, as Spark's listener makes them: namespace and name are those of the
    place, and the catalog's name for it is a symlink to that."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._known: dict[str, tuple[str, str]] = {}

    def place(self, table: str) -> tuple[str, str]:
        """The namespace and name of a table, `namespace.name`. Of one that is not there, those that
        it would have in a folder of the warehouse."""
        if table not in self._known:
            state = self.catalog.load(table)
            warehouse = self.catalog.settings.warehouse
            location = state.location if state else f"{warehouse}/{table.replace('.', '/')}"
            parts = urlsplit(location)
            self._known[table] = f"{parts.scheme}://{parts.netloc}", parts.path.strip("/")
        return self._known[table]

    @property
    def symlink(self) -> str:
        """The namespace of the catalog's names."""
        return self.catalog.settings.catalog_url
