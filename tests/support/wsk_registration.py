"""Registrations of an application and what can be done wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.support.wsk_lab import Request, start
from wsknet.wsk import (
    MAKE_WSK_VERSION,
    STATUS_SUCCESS,
    WSK_CLIENT_DISPATCH,
    WSK_CLIENT_NPI,
    WSK_NO_WAIT,
    WSK_PROVIDER_NPI,
    WSK_REGISTRATION,
    WSK_TRANSPORT_LIST_CHANGE,
    BugCheck,
    KeDelayExecutionThread,
    KeLowerIrql,
    KeRaiseIrql,
    KernelMode,
    PsCreateSystemThread,
    WskCaptureProviderNPI,
    WskRegister,
)


def register(Version: int = MAKE_WSK_VERSION(1, 0)) -> WSK_REGISTRATION:
    registration = WSK_REGISTRATION()
    assert WskRegister(WSK_CLIENT_NPI("context", WSK_CLIENT_DISPATCH(Version, 0, None)), registration) == STATUS_SUCCESS
    return registration


def capture(registration: WSK_REGISTRATION, WaitTimeout: int = WSK_NO_WAIT) -> WSK_PROVIDER_NPI:
    npi = WSK_PROVIDER_NPI()
    assert WskCaptureProviderNPI(registration, WaitTimeout, npi) == STATUS_SUCCESS
    return npi


def after(seconds: float, action: Callable[[], object]) -> None:
    def body(StartContext: object) -> None:
        KeDelayExecutionThread(KernelMode, False, -int(seconds * 10_000_000))
        action()

    PsCreateSystemThread([], 0, None, None, None, body, None)


def await_change(npi: WSK_PROVIDER_NPI) -> Request:
    """A request that stays pending."""
    return start(npi.Dispatch.WskControlClient, npi.Client, WSK_TRANSPORT_LIST_CHANGE, 0, None, 0, None, None)


@contextmanager
def at_level(level: int) -> Iterator[None]:
    before: list[int] = []
    KeRaiseIrql(level, before)
    try:
        yield
    finally:
        KeLowerIrql(before[0])


@contextmanager
def misused(rule: str) -> Iterator[None]:
    with pytest.raises(BugCheck) as caught:
        yield
    assert caught.value.rule == rule
