{#-
    The scope of this run, found once as it starts by `find_scope`, and completed by the base model
    of each source as it takes in new batches: docs/incremental-models.md. Empty in commands that
    run no models.

    marks: by the unique id of a table, how far it has taken in what it reads, by part: the highest
        batch of each source, mostly. A table that is not there, or is rebuilt, has none.
    landed: by source, the last batch that is loaded whole.
    dates: by source, the dates that rows of new batches name, as texts in order, with the last batch
        that names each.
    known_dates: the same of the dates on which something became known that features lack.
    thresholds: the percentiles that features are capped at, by feature.

    It is kept in dbt's `graph`, the one place that hooks and models of a run share.
-#}
{% macro scope() -%}
    {{ return(graph.get('scope', {}) if execute else {}) }}
{%- endmacro %}
