"""What a store that was killed has left behind."""

import socket
from collections.abc import Callable

from cdp.stack.services import store_sockets
from tests.support.stack import SmallStack, Stack


def test_what_a_store_left_behind_does_not_stop_the_next(make_stack: Callable[..., Stack]) -> None:
    """A socket at the path where SeaweedFS looks before it tries its port, with nobody there."""
    other = make_stack("leftovers", SmallStack)
    for path in store_sockets(other.settings()):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
    other.up()
    other.cdp("down")
    assert not [path for path in store_sockets(other.settings()) if path.exists()]
