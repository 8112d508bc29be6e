#!/bin/sh
# Becomes the Spark Connect server. Arguments are further options of spark-submit.
set -eu
# The properties hold secrets: they are written to memory, for this user alone.
umask 077
properties=/run/cdp/spark-defaults.conf
python -m cdp.spark_conf cluster > "$properties"
# Were it set, spark-submit would start a client of that server.
unset SPARK_REMOTE
exec spark-submit --master "$CDP_SPARK_MASTER" --properties-file "$properties" --name cdp "$@" \
    --class org.apache.spark.sql.connect.service.SparkConnectServer spark-internal
