"""dbt's suite in Spark's terms: how its SQL is put, each rule with its reason.

The suite is written for Postgres, and adapters are to give it their own words. The rules that have
changed something of a test are noted, so that what passes without any is known.
"""

import re
from dataclasses import dataclass
from re import Pattern

import sqlparse


@dataclass(frozen=True)
class Rule:
    """One way in which Spark's SQL is put otherwise."""

    reason: str
    pattern: Pattern[str]
    replacement: str


def rule(reason: str, pattern: str, replacement: str) -> Rule:
    return Rule(reason, re.compile(pattern, re.IGNORECASE | re.MULTILINE), replacement)


DATE = r"\d{4}-\d\d-\d\d"
TIME = rf"{DATE}[ T]\d\d:\d\d:\d\d(?:\.\d+)?"
NOT_CAST = r"(?!\s+as\b|::)"
NO_DATABASE = rule(
    "a schema has no database",
    r"\{\{\s*(?:target|this)\.database\s*\}\}\.|\{database\}\.|\bNone\.",
    "",
)
TYPES = (
    rule(
        "text is string",
        r"(::|\b\w*type: |\bas |\w\s+|^\s*\w+: )"
        r"(?:text|(?:character varying|varchar)(?:\s*\(\d+\))?)(?!\w)"
        r"(?=\s*(?:[,;)|\n]|not null|default|as |$))",
        r"\1string",
    ),
    rule("a timestamp has no zone in its type", r"timestamp with(?:out)? time zone", "timestamp"),
    rule("double precision is double", r"double precision", "double"),
)
# Of statements and of models alone.
SQL = (
    NO_DATABASE,
    rule("a column has no default", r" default (?:null|'[^']*')", ""),
    rule("a date is typed", rf"(?<!date )(?<!date\()'({DATE})'{NOT_CAST}", r"date '\1'"),
    rule("a moment is typed", rf"(?<!timestamp )'({TIME})'{NOT_CAST}", r"timestamp '\1'"),
    rule("a name is quoted by backticks", r'"(GROUP|from)"', r"`\1`"),
)
NAMES = rule("a name is quoted by backticks", r'"([A-Za-z_]\w*)"', r"`\1`")
# Iceberg's catalogs drop a schema once it is empty.
CASCADE = re.compile(r"drop schema if exists (\S+) cascade", re.IGNORECASE)


class Terms:
    """The rules, and the reasons of those that have changed something."""

    def __init__(self) -> None:
        self.changed: set[str] = set()

    def _put(self, text: str, rules: tuple[Rule, ...]) -> str:
        for each in rules:
            text, count = each.pattern.subn(each.replacement, text)
            if count:
                self.changed.add(each.reason)
        return text

    def statements(self, sql: str) -> list[str]:
        """The statements of a text, as Spark takes them: one at a time."""
        parts = [
            sqlparse.format(p, strip_comments=True).strip("; \n\t") for p in sqlparse.split(sql)
        ]
        found = [part for part in parts if part]
        if len(parts) > 1 or parts != found:
            self.changed.add("one statement at a time")
        return [self._put(part, (*TYPES, *SQL, NAMES)) for part in found]

    def file(self, text: str, name: str) -> str:
        """A file of a project."""
        if name.endswith(".sql"):
            return self._put(text, (*TYPES, *SQL))
        if name.endswith((".yml", ".yaml")):
            return self._put(text, (NO_DATABASE, *TYPES))
        return text
