"""The condition function of WSPAccept (ConditionFunc, LPWSPACCEPT callback function)."""

from __future__ import annotations

from typing import Any

from wsknet.san.calls import WinsockError
from wsknet.san.numbers import CF_ACCEPT, WSAEFAULT
from wsknet.san.sockaddr import SOCKADDR_IN
from wsknet.san.structures import INT, WSABUF
from wsknet.types import Endpoint


def check_condition(lpfnCondition: Any) -> None:
    """WSAEFAULT for what is there and is no function."""
    if lpfnCondition is not None and not callable(lpfnCondition):
        raise WinsockError(WSAEFAULT)


def ask(lpfnCondition: Any, dwCallbackData: Any, remote: Endpoint, local: Endpoint) -> Any:
    """What it answers, which may be anything; without one CF_ACCEPT.  lpCalleeData of no length: TCP carries none."""
    if lpfnCondition is None:
        return CF_ACCEPT
    caller, callee = _name(remote), _name(local)
    return lpfnCondition(caller, None, None, None, callee, WSABUF(bytearray()), INT(), dwCallbackData)


def _name(endpoint: Endpoint) -> WSABUF:
    return WSABUF(bytes(SOCKADDR_IN.of(endpoint)))
