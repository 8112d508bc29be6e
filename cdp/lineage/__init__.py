"""OpenLineage events: which tables a run reads and writes, sent by dbt, Spark and Airflow.

Nothing is sent where CDP_LINEAGE is empty; and no run fails because nobody listens.
Source: the OpenLineage specification, https://openlineage.io/docs/spec/object-model.
"""
