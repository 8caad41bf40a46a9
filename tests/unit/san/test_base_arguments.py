"""No function of the TCP/IP provider raises, whatever it is given."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.support.winsock_program import Lab, sockaddr
from wsknet.san import numbers
from wsknet.san.events import WSAEVENT
from wsknet.san.numbers import FIONBIO, INVALID_SOCKET, SOCK_DGRAM, SOCKET_ERROR
from wsknet.san.sockaddr import SOCKADDR_IN
from wsknet.san.structures import (
    INT,
    SOCKET_ADDRESS_LIST,
    WSABUF,
    WSANETWORKEVENTS,
    WSAOVERLAPPED,
    WSAPROTOCOL_INFOW,
)

NAME = sockaddr("192.0.2.2", 7)
BUFFERS = [WSABUF(bytearray(8))]
GOOD: dict[str, tuple[Any, ...]] = {
    "WSPAccept": (None, None, None, None),
    "WSPBind": (sockaddr("0.0.0.0", 0), 16),
    "WSPCloseSocket": (),
    "WSPConnect": (NAME, 16, None, None, None, None),
    "WSPDuplicateSocket": (1, WSAPROTOCOL_INFOW()),
    "WSPEnumNetworkEvents": (None, WSANETWORKEVENTS()),
    "WSPEventSelect": (None, 0),
    "WSPGetOverlappedResult": (WSAOVERLAPPED(), INT(), False, INT()),
    "WSPGetPeerName": (SOCKADDR_IN(), INT(16)),
    "WSPGetSockName": (SOCKADDR_IN(), INT(16)),
    "WSPGetSockOpt": (0xFFFF, 8, bytearray(4), INT(4)),
    "WSPGetQOSByName": (None, None),
    "WSPIoctl": (numbers.FIONREAD, None, 0, INT(), 4, INT(), None, None, None),
    "WSPListen": (5,),
    "WSPRecv": (BUFFERS, 1, INT(), INT(), None, None, None),
    "WSPRecvDisconnect": (None,),
    "WSPRecvFrom": (BUFFERS, 1, INT(), INT(), SOCKADDR_IN(), INT(16), None, None, None),
    "WSPSend": (BUFFERS, 1, INT(), 0, None, None, None),
    "WSPSendDisconnect": (None,),
    "WSPSendTo": (BUFFERS, 1, INT(), 0, NAME, 16, None, None, None),
    "WSPSetSockOpt": (0xFFFF, 8, bytes(4), 4),
    "WSPShutdown": (2,),
    "WSPSocket": (2, 1, 0, None, 0),
}
"""What each takes behind its first argument and before lpErrno."""
CODES = [value for name, value in vars(numbers).items() if name.startswith(("SIO_", "SO_", "FIO", "MSG_", "FD_"))]


def anything(rng: Random, lab: Lab, sockets: list[int]) -> Any:
    broken = SOCKADDR_IN()
    broken.sin_addr = "nowhere"  # type: ignore[assignment]
    return rng.choice(
        [
            None, True, 0, 1, -1, 4, 16, 2**40, 1.5, "text", b"", bytes(16), bytearray(16), memoryview(b"abcdef")[::2],
            [], [None], [WSABUF(bytearray(8))], [WSABUF(b"xy", 1)], [WSABUF(bytearray(1), 99)], object(), INT(),
            INT(None), INT("x"), SOCKADDR_IN(), sockaddr("192.0.2.2", 7), sockaddr("127.0.0.1", 0), broken, INT(16),
            WSAOVERLAPPED(), WSAOVERLAPPED(WSAEVENT(lab.client.host)), WSANETWORKEVENTS(), WSAPROTOCOL_INFOW(),
            SOCKET_ADDRESS_LIST(), WSAEVENT(lab.client.host), lambda *_: 0, rng.choice(CODES), rng.choice(sockets),
        ]
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_nothing_that_is_given_makes_a_function_raise(seed: int) -> None:
    rng = Random(seed)
    failed = done = 0
    with Lab() as lab:
        lab.listener(7)
        sockets: list[int] = []
        for turn in range(3_000):
            if turn % 20 == 0:
                sockets = [*sockets, lab.client.socket(), lab.client.socket(SOCK_DGRAM)][-6:]
                lab.pause(0.1)
            for s in sockets:
                lab.client.ioctl(s, FIONBIO, INT(1), 4)  # a call that blocks would wait for ever
            function = rng.choice(list(GOOD))
            arguments = [2 if function == "WSPSocket" else rng.choice(sockets), *GOOD[function]]
            for _ in range(rng.randrange(4)):
                arguments[rng.randrange(len(arguments))] = anything(rng, lab, sockets)
            error = INT()
            result = getattr(lab.client.table, "lp" + function)(*arguments, error)
            if error.Value:
                failed += 1
                assert result in (SOCKET_ERROR, INVALID_SOCKET, False), function
            else:
                done += 1
                assert result not in (SOCKET_ERROR, INVALID_SOCKET), function
            getattr(lab.client.table, "lp" + function)(*arguments, None)
        lab.pause(60)
    assert failed > 1_000
    assert done > 100
