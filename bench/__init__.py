"""Benchmarks. Each prints a table, writes it into docs/benchmarks.md, and fails over its limit."""
