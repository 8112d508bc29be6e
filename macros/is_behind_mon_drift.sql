{#- Whether a profile is newer than the days that mon_drift has compared. -#}
{% macro is_behind_mon_drift(node) -%}
    {%- set profile = node_named('mon_column_profile') -%}
    {{ return(
        (profile.unique_id in selected_resources and is_behind(profile))
        or (mark(profile.unique_id, 'profiled_at') or '') > (mark(node.unique_id, 'judged_until') or '')
    ) }}
{%- endmacro %}
