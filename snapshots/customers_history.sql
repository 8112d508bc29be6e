{#-
    Every version of every customer's plan, contract and address, from the log of changes: what was
    true at any moment. A customer who is deleted has no version from then on.
-#}
{% snapshot customers_history %}

{{
    config(
        strategy='change_log',
        new_rows_of=['crm.customers'],
        unique_key=['customer_id'],
        updated_at='changed_at',
        sequence_by=var('customer_change_order'),
        deleted_flag='is_deleted',
        truncated_flag='is_truncated',
        sort_by=['valid_to desc', 'customer_id'],
    )
}}

select * from {{ ref('int_customers__changes') }}
where {{ in_new_batches() }}

{% endsnapshot %}
