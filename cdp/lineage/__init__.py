"""OpenLineage events: which tables a run reads and writes, told by dbt, Spark and Airflow.

Nothing is told where CDP_LINEAGE is empty; and no run fails for want of somebody who listens.
Source: the OpenLineage specification, https://openlineage.io/docs/spec/object-model.
"""
