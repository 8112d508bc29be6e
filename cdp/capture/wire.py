"""A replication stream, read and confirmed by libpq itself.

psycopg2 opens the connection and starts the stream. Its own reader is not used, because it confirms
by itself: at a keepalive it takes all that was sent as done when the last message's LSN lies below
the one confirmed before. `pgoutput` sends messages whose LSN is 0 (the description of a table) or
that of the transaction's first record, so that changes which have not landed would be confirmed.
"""

import ctypes
import struct
import time
from functools import cache
from typing import Any

import psycopg2
from psycopg2 import _psycopg
from psycopg2.extras import LogicalReplicationConnection

from cdp.capture.pgoutput import EPOCH

DATA, KEEPALIVE = b"wk"
HEADER = 25  # kind, LSN, end of the log, time
SQLSTATE = ord("C")


class StreamError(Exception):
    """The server ended the stream. code: its SQLSTATE, empty when the connection was lost."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(" ".join(text.split()))
        self.code = code


@cache
def _libpq() -> ctypes.PyDLL:
    """The libpq that psycopg2 is linked to: only that one knows its connections.

    The interpreter's lock is kept: none of these calls waits.
    """
    library = ctypes.PyDLL(_psycopg.__file__)
    handle, text = ctypes.c_void_p, ctypes.c_char_p
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "PQgetCopyData": (ctypes.c_int, [handle, ctypes.POINTER(handle), ctypes.c_int]),
        "PQputCopyData": (ctypes.c_int, [handle, text, ctypes.c_int]),
        "PQflush": (ctypes.c_int, [handle]),
        "PQconsumeInput": (ctypes.c_int, [handle]),
        "PQfreemem": (None, [handle]),
        "PQgetResult": (handle, [handle]),
        "PQclear": (None, [handle]),
        "PQerrorMessage": (text, [handle]),
        "PQresultErrorMessage": (text, [handle]),
        "PQresultErrorField": (text, [handle, ctypes.c_int]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


class Stream:
    """The messages of a slot, on a connection of their own.

    sent: the LSN up to which the server has sent all, by its last keepalive; 0 before any.
    asked: whether the server waits for an answer.
    """

    def __init__(self, dsn: str, slot: str, publication: str, **options: Any) -> None:  # noqa: ANN401 - libpq's
        """Raises psycopg2.Error when the server does not have it."""
        self.connection = psycopg2.connect(
            dsn, connection_factory=LogicalReplicationConnection, **options
        )
        with self.connection.cursor() as cursor:
            quoted = publication.replace('"', '""')
            cursor.start_replication_expert(
                f'START_REPLICATION SLOT "{slot}" LOGICAL 0/0 '
                f"(proto_version '1', publication_names '\"{quoted}\"')"
            )
        self._libpq = _libpq()
        self._handle = self.connection.pgconn_ptr
        self.sent = 0
        self.asked = False

    def fileno(self) -> int:
        return int(self.connection.fileno())

    def read(self, limit: int) -> list[bytes]:
        """The messages that have arrived, up to a limit; none does not mean the end.

        Raises StreamError at the end.
        """
        libpq, handle = self._libpq, self._handle
        get, free, string_at = libpq.PQgetCopyData, libpq.PQfreemem, ctypes.string_at
        place = ctypes.c_void_p()
        reference = ctypes.byref(place)
        messages: list[bytes] = []
        add = messages.append
        consumed = False
        while len(messages) < limit:
            size = get(handle, reference, 1)
            if size > 0:
                frame = string_at(place.value or 0, size)
                free(place)
                if frame[0] == DATA:
                    add(frame[HEADER:])
                elif frame[0] == KEEPALIVE:
                    sent, _, asked = struct.unpack(">QqB", frame[1:])
                    self.sent = max(self.sent, sent)
                    self.asked |= bool(asked)
            elif size == 0:
                if consumed and messages:
                    break
                if not libpq.PQconsumeInput(handle):
                    self._fail()
                if consumed:
                    break
                consumed = True
            else:
                self._fail()
        return messages

    def confirm(self, lsn: int, *, ask: bool = False) -> None:
        """Tell the server that all up to an LSN is done. ask: have it answer with a keepalive."""
        now = time.time_ns() // 1000 - EPOCH
        told = struct.pack(">cQQQqB", b"r", lsn, lsn, lsn, now, ask)
        put = self._libpq.PQputCopyData(self._handle, told, len(told))
        if put != 1 or self._libpq.PQflush(self._handle) < 0:
            self._fail()
        self.asked = False

    def close(self) -> None:
        self.connection.close()

    def _fail(self) -> None:
        """Raise what the server said, or what became of the connection."""
        libpq = self._libpq
        text = libpq.PQerrorMessage(self._handle) or b""
        code = b""
        while result := libpq.PQgetResult(self._handle):
            if found := libpq.PQresultErrorField(result, SQLSTATE):
                code, text = found, libpq.PQresultErrorMessage(result)
            libpq.PQclear(result)
            if not found:
                break
        raise StreamError(text.decode(errors="replace") or "the stream ended", code.decode())
