"""Change data capture: a Postgres table's changes become Parquet in the landing zone."""
