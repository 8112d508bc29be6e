"""The Python side of the CDP lakehouse: thin tools around Spark, dbt, Soda and Trino."""

# Here, where the help of the command line finds them without reading the settings.
OPTIONAL_SERVICES = (
    "rest-catalog",
    "spark-cluster",
    "trino-worker",
    "postgres",
    "airflow",
    "metrics",
)
