"""What people ask of a build by dbt's arguments: whether it is planned, and what is left out."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdp.plan.graph import Graph
from cdp.plan.plan import Left

EXCLUDE = "--exclude"
KINDS = {"--exclude-resource-type", "--exclude-resource-types"}
VARIABLES, TARGETS = "--vars", {"--target", "-t"}
# Options that change how a build runs, and not what it builds, with how many values they have.
NEUTRAL = {"--threads": 1, "--log-level": 1, "--warn-error-options": 1}
NEUTRAL |= dict.fromkeys(
    ("--fail-fast", "-x", "--no-fail-fast", "--warn-error", "--quiet", "-q"), 0
)
# Variables that say how far the past is complete: they change what is alarmed, and not the tables.
OF_ALARMS = {"complete_until"}
OF_DATES = {"from_date", "to_date"}
# dbt computes a part of the rows.
PARTIAL = {"--empty", "--sample"}
NAME = re.compile(r"\w+")
TAG = "tag:"


@dataclass(frozen=True)
class Asked:
    """The arguments of a build.

    is_planned: whether they leave what is built to the plan. excluded: words of dbt's selection.
    kinds: kinds of nodes that are left out. is_whole: whether what runs takes in all that is new.
    """

    is_planned: bool
    excluded: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    is_whole: bool = True

    def left(self, graph: Graph) -> Left | None:
        """What is left out; None when dbt has to say, which knows more words."""
        found = {n.unique_id for n in graph.nodes if n.kind in self.kinds}
        names = [(n.name, n.unique_id) for n in graph.nodes]
        names += [(t.name, t.unique_id) for t in graph.tests]
        for word in self.excluded:
            named = {unique_id for name, unique_id in names if name == word}
            if word.startswith(TAG) and NAME.fullmatch(word.removeprefix(TAG)):
                tag = word.removeprefix(TAG)
                found |= {n.unique_id for n in graph.nodes if tag in n.tags}
                found |= {t.unique_id for t in graph.tests if tag in t.tags}
            elif NAME.fullmatch(word) and named:
                found |= named
            else:
                return None
        return Left(frozenset(found), tests="test" in self.kinds)


def read(arguments: Sequence[str]) -> Asked:
    """What dbt's arguments ask for."""
    is_planned = True
    excluded: list[str] = []
    kinds: list[str] = []
    variables: Mapping[str, Any] = {}
    for name, values in _options(arguments):
        if name == EXCLUDE and values:
            excluded += [word for value in values for word in value.split()]
        elif name in KINDS and values:
            kinds += values
        elif name == VARIABLES and len(values) == 1:
            variables = _variables(values[0])
            is_planned = is_planned and set(variables) <= OF_ALARMS
        elif not (name in TARGETS and len(values) == 1) and NEUTRAL.get(name) != len(values):
            is_planned = False
    named = {name for name, _ in _options(arguments)}
    is_whole = not named & PARTIAL and set(variables) <= OF_ALARMS | OF_DATES
    return Asked(is_planned, tuple(excluded), tuple(kinds), is_whole)


def _options(arguments: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each option with its values; those before the first one have none."""
    name, values = "", [""][:0]
    for argument in arguments:
        if argument.startswith("-"):
            if name or values:
                yield name, values
            name, equals, value = argument.partition("=")
            values = [value] if equals else []
        else:
            values.append(argument)
    if name or values:
        yield name, values


def _variables(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        import yaml

        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError:
            found = None
    # What is not understood is dbt's to say.
    return found if isinstance(found, dict) else {"": text}
