"""Fixtures of tests that need no engine: their stack is the small one."""

from tests.support.small import stack, table, tables

__all__ = ["stack", "table", "tables"]
