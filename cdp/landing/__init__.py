"""Brings files into the landing zone as Parquet, each file's rows exactly once."""
