"""The Python side of the CDP lakehouse: thin tools around Spark, dbt, Soda and Trino."""
