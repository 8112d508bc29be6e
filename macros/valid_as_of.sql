{#-
    The condition that a version of a history was the one that counted as a day ended. Versions are
    half-open intervals: one that ended in that moment no longer did.

    alias: of the history. as_of_date: a date, or a column of dates.
-#}
{% macro valid_as_of(alias, as_of_date) -%}
    {{ alias }}.valid_from < {{ as_of_date }} + interval 1 day
    and coalesce({{ alias }}.valid_to >= {{ as_of_date }} + interval 1 day, true)
    and not {{ alias }}.is_deleted
{%- endmacro %}
