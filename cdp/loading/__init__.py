"""Moves landed Parquet into the raw tables, by Spark Structured Streaming, each object once."""
