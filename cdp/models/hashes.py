"""Hashes of rows: of a whole table, and of each row by itself."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# What a null adds to the hash of a row.
NULL = np.uint64(0xD6E8FEB86659FD93)


def is_text(kind: pa.DataType) -> bool:
    """Return whether a type is a text's: each way that Arrow has of it."""
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_string(inner)
        or pa.types.is_large_string(inner)
        or pa.types.is_string_view(inner)
    )


def hash_rows(table: pa.Table) -> str:
    """Return the SHA-256 of rows: of names, types, which values are null, and the values."""
    digest = hashlib.sha256(str(table.num_rows).encode())
    for name in table.column_names:
        values = table[name].combine_chunks()
        digest.update(f"|{name}:{values.type}|".encode())
        digest.update(np.packbits(values.is_null().to_numpy(zero_copy_only=False)).tobytes())
        if is_text(values.type):
            filled = values.fill_null("").cast(pa.large_string())
            lengths = pc.binary_length(filled).to_numpy()
            digest.update(lengths.astype("<i4").tobytes())
            digest.update("".join(filled.to_pylist()).encode())
        else:
            plain = values.cast(pa.int32()) if pa.types.is_date32(values.type) else values
            filled = plain.fill_null(pa.scalar(0).cast(plain.type))
            digest.update(np.ascontiguousarray(filled.to_numpy(zero_copy_only=False)).tobytes())
    return digest.hexdigest()


def hash_each(table: pa.Table) -> NDArray[np.uint64]:
    """Return a hash of each row, shape (n,), to find those that differ: of values and nulls, in the
    order of the columns. It does not depend on what other rows hold."""
    mixed = np.zeros(table.num_rows, dtype=np.uint64)
    for name in table.column_names:
        values = table[name].combine_chunks()
        missing = values.is_null().to_numpy(zero_copy_only=False)
        if is_text(values.type):
            coded = values.fill_null("").cast(pa.string()).dictionary_encode()
            digests = (
                hashlib.sha256(text.encode()).digest() for text in coded.dictionary.to_pylist()
            )
            words = np.array([int.from_bytes(d[:8], "little") for d in digests], dtype=np.uint64)
            found: NDArray[np.uint64] = words[coded.indices.to_numpy()]
        else:
            plain = values.cast(pa.int32()) if pa.types.is_date32(values.type) else values
            filled = plain.fill_null(pa.scalar(0).cast(plain.type))
            found = filled.cast(pa.float64(), safe=False).to_numpy().view(np.uint64)
        bits: NDArray[np.uint64] = np.where(missing, NULL, _mix(found)).astype(np.uint64)
        mixed = _mix(np.bitwise_xor(mixed, bits))
    return mixed


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread the bits of numbers: the finalizer of SplitMix64, by Steele, Lea and Flood."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: NDArray[np.uint64] = values ^ (values >> np.uint64(31))
    return mixed
