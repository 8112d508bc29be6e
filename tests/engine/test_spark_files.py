"""Files that Spark has written read back equal, or are refused: no value changes."""

from pathlib import Path

import pyarrow as pa
import pytest

from tests.support import delivered
from tests.support.any_table import TYPES, agrees, source, table
from tests.support.stack import Stack

# Spark has no unsigned numbers, no zones and no nanoseconds; and pandas, which carries the rows
# there, no dictionaries of text.
AS_SPARK_HAS = {
    "uint32": pa.int64(),
    "uint64": pa.decimal128(20, 0),
    "timestamp[s]": pa.timestamp("us"),
    "timestamp[ms]": pa.timestamp("us"),
    "timestamp[ns]": pa.timestamp("us"),
}


def as_spark_has(made: pa.Table) -> pa.Table:
    for i, field in enumerate(made.schema):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if pa.types.is_timestamp(kind) and kind.tz:
            kind = pa.timestamp("us", "UTC")
        kind = pa.string() if pa.types.is_large_string(kind) else AS_SPARK_HAS.get(str(kind), kind)
        made = made.set_column(i, field.name, made[field.name].cast(kind))
    return made


@pytest.mark.parametrize("form", ["parquet", "json", "csv"])
def test_any_table_of_spark_reads_back_equal_or_is_refused(
    stack: Stack, tmp_path: Path, form: str
) -> None:
    read = 0
    # As Spark writes INT96, and as the standard has timestamps.
    kinds = ["INT96", "TIMESTAMP_MICROS"] if form == "parquet" else ["TIMESTAMP_MICROS"]
    with stack.session() as session:
        for seed, kind in ((seed, kind) for seed in range(4) for kind in kinds):
            made = as_spark_has(table(seed))
            folder = tmp_path / f"{seed}-{kind}"
            session.conf.set("spark.sql.parquet.outputTimestampType", kind)
            writer = session.createDataFrame(made).coalesce(1).write
            if form == "csv":  # by default it trims texts, and escapes quotes by a backslash
                writer = writer.options(
                    header=True,
                    escape='"',
                    ignoreLeadingWhiteSpace=False,
                    ignoreTrailingWhiteSpace=False,
                )
            writer.format(form).save(f"file:{folder}")
            (path,) = folder.glob("part-*")
            found, rejects = delivered.read(path, source(form))
            assert len(found) + len(rejects) >= len(made)
            read += len(found)
            by_key = {row["id"]: row for row in found}
            for row in made.to_pylist():
                landed = by_key.get(row["id"])
                for name in TYPES if landed else ():
                    assert landed
                    kind_of = made.schema.field(name).type
                    assert agrees(landed[name], row[name], TYPES[name], kind_of), (name, row[name])
    assert read > 50
