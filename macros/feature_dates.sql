{#-
    The as-of dates whose features this run computes, as texts in order. A date is one on which
    something became known; every n-th day by CDP_FEATURE_EVERY_DAYS. They are those that new
    batches tell something about, all built ones after the first of them, and those of a backfill.
-#}
{% macro feature_dates() -%}
    {%- set node = features_node() -%}
    {%- set dates = [] -%}
    {%- if execute and node and node.unique_id in selected_resources -%}
        {%- for known in scope().get('known_dates', {}).values() -%}
            {%- do dates.extend(known) -%}
        {%- endfor -%}
        {%- set news = dates | reject('in', backfilled(dates)) | list -%}
        {%- for day in built_dates(node) if news and day >= news | min -%}
            {%- do dates.append(day) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- set every = env_var('CDP_FEATURE_EVERY_DAYS', '1') | int -%}
    {%- set chosen = [] -%}
    {%- for day in dates | unique | sort -%}
        {%- set days = modules.datetime.date.fromisoformat(day).toordinal() - 719163 -%}
        {%- do chosen.append(day) if days % every == 0 -%}
    {%- endfor -%}
    {{ return(chosen) }}
{%- endmacro %}
