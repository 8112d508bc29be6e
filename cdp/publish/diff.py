"""`cdp diff`: what a run would change for readers, table by table, asked through Trino."""

from dataclasses import dataclass

from cdp.errors import CdpError
from cdp.publish.publisher import Publisher
from cdp.quality.checks import quoted
from cdp.settings import Settings
from cdp.transform import Project
from cdp.trino import query

MAIN = "main"


@dataclass(frozen=True)
class Difference:
    """Rows of a table that a run adds, changes and removes.

    changed: None for a table whose grain is not known: a changed row is one removed and one added.
    """

    table: str
    added: int
    changed: int | None
    removed: int


def compare_sql(table: str, columns: list[str], grain: list[str], run_id: str) -> str:
    """A query of one row: how many rows are added, changed and removed.

    columns: those that both versions have.
    """
    schema, name = table.split(".")
    source = f"lake.{quoted(schema)}.{quoted(name)}"
    version = f"{source} for version as of '{run_id}'"
    if not grain:
        given = ", ".join(map(quoted, columns))
        rows = "select count(*) from (select {0} from {1} except all select {0} from {2})"
        added, removed = rows.format(given, version, source), rows.format(given, source, version)
        return f"select ({added}), null, ({removed})"
    keys = " and ".join(f"new.{quoted(k)} = old.{quoted(k)}" for k in grain)
    others = [c for c in columns if c not in grain]
    differs = " or ".join(f"new.{quoted(c)} is distinct from old.{quoted(c)}" for c in others)
    key = quoted(grain[0])
    return (
        f"select count_if(old.{key} is null), "  # noqa: S608 - names are quoted, the run's is known
        f"count_if(old.{key} is not null and new.{key} is not null and ({differs or 'false'})), "
        f"count_if(new.{key} is null) "
        f"from {version} as new full join {source} as old on {keys}"
    )


def diff(run_id: str, project: Project, settings: Settings) -> list[Difference]:
    """The differences of the tables that a run has changed.

    Raises CdpError when there is no such run, or when its branches are gone.
    """
    publisher = Publisher(settings)
    run = publisher.run(run_id)
    if run.state in {"published", "discarded"}:
        raise CdpError(f"{run_id} is {run.state}: it has no branches", "cdp runs lists the others")
    found = []
    for move in publisher.moves(run):
        if move.new is None or move.old == move.new:
            continue
        schema, name = move.table.split(".")
        named = query(
            "select column_name from lake.information_schema.columns "  # noqa: S608
            f"where table_schema = '{schema}' and table_name = '{name}'",
            settings,
        )
        columns = [row[0] for row in named.rows]
        sql = compare_sql(move.table, columns, project.grain(move.table), run.run_id)
        added, changed, removed = query(sql, settings).rows[0]
        found.append(Difference(move.table, added, changed, removed))
    return found
