"""Moves landed Parquet into the raw tables with Spark, one commit a batch, each once."""
