"""How each table is to be kept, as dbt's manifest has it: the `meta` of models and sources."""

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cdp.errors import CdpError
from cdp.transform import Project


class Rules(BaseModel):
    """The part of a table's `meta` that is about upkeep.

    compaction: sort writes rows in the order of the table, where it has one; binpack as they come;
    none leaves files alone. file_target_mb: the size that files are written to. compact_from_files:
    how many files of another size a partition may have before they are rewritten.
    compact_from_deletes: how many delete files may apply to a data file before it is.
    snapshots_keep_days, snapshots_keep_last: what time travel reaches, beside publishes.
    orphans_after_hours: the age at which a file that no snapshot names is one that nobody is about
    to commit.
    """

    model_config = ConfigDict(extra="ignore")

    compaction: Literal["sort", "binpack", "none"]
    file_target_mb: int = Field(ge=1, le=500)
    compact_from_files: int = Field(ge=2)
    compact_from_deletes: int = Field(ge=1)
    snapshots_keep_days: int = Field(ge=1)
    snapshots_keep_last: int = Field(ge=1)
    # Iceberg refuses less.
    orphans_after_hours: int = Field(ge=24)


@dataclass(frozen=True)
class Kept:
    """A table, `namespace.name`, and its rules."""

    name: str
    rules: Rules


def read(project: Project) -> dict[str, Kept]:
    """The tables of the project and its sources, in the order of their names.

    Raises CdpError for rules that are not right, and names the table.
    """
    nodes: dict[str, Any] = {
        f"{source.schema}.{source.identifier}": source
        for source in project.manifest.sources.values()
    } | project.tables
    return {name: Kept(name, _rules(name, nodes[name])) for name in sorted(nodes)}


def _rules(name: str, node: Any) -> Rules:  # noqa: ANN401 - dbt's own class
    try:
        return Rules.model_validate(node.config.meta)
    except ValidationError as error:
        wrong = error.errors()[0]
        raise CdpError(
            f"the meta of {name} is not right: {'.'.join(map(str, wrong['loc']))}: {wrong['msg']}",
            "correct it; docs/upkeep.md lists the keys, dbt_project.yml has the defaults",
        ) from error
