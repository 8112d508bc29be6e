#!/bin/sh
# Has Airflow's database as this version wants it: the PREPARATION of cdp/stack/airflow.py.
set -eu
airflow db migrate
airflow pools set lakehouse 1 'one writer of tables at a time'
