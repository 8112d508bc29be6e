-- Airflow's database and its owner, made once, with Postgres' data directory.
\set password `cat /run/secrets/airflow_database_password`
create role airflow login password :'password';
create database airflow owner airflow;
revoke connect, temporary on database airflow, crm from public;
