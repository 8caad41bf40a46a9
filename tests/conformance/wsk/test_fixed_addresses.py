"""SIO_WSK_SET_REMOTE_ADDRESS and SIO_WSK_SET_SENDTO_ADDRESS: for sending and receiving (wsk.md 5.4)."""

from __future__ import annotations

import pytest

from tests.support.wsk_datagrams import TO_FAR, fix, name_of, receive_from, send_to
from tests.support.wsk_lab import FAR, NEAR, PORT, Lab, ok
from wsknet.wsk import (
    SIO_WSK_SET_REMOTE_ADDRESS,
    SIO_WSK_SET_SENDTO_ADDRESS,
    STATUS_CANCELLED,
    STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
    WSK_FLAG_DATAGRAM_SOCKET,
    WSK_SOCKET,
    simple,
)


@pytest.fixture
def near(lab: Lab) -> WSK_SOCKET:
    return lab.datagram(lab.near)


@pytest.fixture
def far(lab: Lab) -> WSK_SOCKET:
    return lab.datagram(lab.far, PORT)


@pytest.mark.rule("R-261", "R-284", "R-309")
def test_a_fixed_remote_address(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    other = lab.datagram(lab.far)
    assert fix(near, SIO_WSK_SET_REMOTE_ADDRESS, TO_FAR) == STATUS_SUCCESS
    assert send_to(near, b"default", None).status == STATUS_SUCCESS
    assert ok(simple.receive_from(far))[0] == b"default"
    back = simple.address(NEAR, name_of(near)[1])
    send_to(other, b"not wanted", back)
    send_to(far, b"wanted", back)

    assert ok(simple.receive_from(near))[0] == b"wanted"
    lab.run()
    assert not receive_from(near)[0].is_done


@pytest.mark.rule("R-260", "R-285", "BIND-10")
def test_an_override_is_sent_but_its_answer_is_not_received(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    other = lab.datagram(lab.far)
    fix(near, SIO_WSK_SET_REMOTE_ADDRESS, TO_FAR)
    send_to(near, b"override", simple.address(FAR, name_of(other)[1]))
    data, source = ok(simple.receive_from(other))
    send_to(other, b"answer", source)

    assert data == b"override"
    assert simple.receive_from(near, seconds=1)[0] == STATUS_CANCELLED


@pytest.mark.rule("R-261", "R-286", "BIND-4.15")
def test_a_fixed_destination_leaves_receiving_open(lab: Lab, near: WSK_SOCKET, far: WSK_SOCKET) -> None:
    other = lab.datagram(lab.far)
    assert fix(near, SIO_WSK_SET_SENDTO_ADDRESS, TO_FAR) == STATUS_SUCCESS
    send_to(near, b"default", None)
    assert ok(simple.receive_from(far))[0] == b"default"
    send_to(other, b"welcome", simple.address(NEAR, name_of(near)[1]))

    assert ok(simple.receive_from(near))[0] == b"welcome"


@pytest.mark.rule("R-287", "R-288", "BIND-4.14")
@pytest.mark.parametrize("code", [SIO_WSK_SET_REMOTE_ADDRESS, SIO_WSK_SET_SENDTO_ADDRESS])
def test_fixed_addresses_are_cleared_and_need_a_bound_socket(lab: Lab, near: WSK_SOCKET, code: int) -> None:
    fix(near, code, TO_FAR)
    assert send_to(near, b"x", None).status == STATUS_SUCCESS
    assert fix(near, code, None) == STATUS_SUCCESS
    assert send_to(near, b"x", None).status == STATUS_INVALID_PARAMETER

    unbound = lab.socket(lab.near, WSK_FLAG_DATAGRAM_SOCKET)
    assert fix(unbound, code, TO_FAR) == STATUS_INVALID_DEVICE_STATE
