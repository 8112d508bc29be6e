"""The local services: object store, catalog, Spark Connect and Trino, kept up by supervisor."""
