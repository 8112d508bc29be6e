#!/bin/sh
# Becomes Airflow's API, which also writes to its file of passwords: a copy of the secret, in memory.
set -eu
umask 077
mkdir -p "$AIRFLOW_HOME"
cp /run/secrets/airflow_passwords "$AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"
exec airflow api-server
