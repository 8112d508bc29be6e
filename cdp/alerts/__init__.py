"""Alerts: what broke, since when, how many rows, how to see them, and who owns the table."""
