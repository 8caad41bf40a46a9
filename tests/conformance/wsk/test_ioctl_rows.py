"""Each IOCTL with what it takes, on a socket of each category that has it (WSK-5.4)."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from tests.support.wsk_lab import FAR, PORT, Lab, ok, start
from wsknet.wsk import WSK_SOCKET, WskIoctl, simple

SUCCESS, PENDING, INVALID_PARAMETER = 0, 0x103, 0xC000000D
DEVICE_REQUEST, NOT_SUPPORTED, DEVICE_STATE, NOT_FOUND = 0xC0000010, 0xC00000BB, 0xC0000184, 0xC0000225
ADDRESS = "an address"


class Use(NamedTuple):
    number: int
    answers: dict[str, int]
    """By category: B, L bound, D bound, d not yet, C and S connected."""
    given: bytes | str | None = None
    room: int = 0
    is_without_irp: bool = False


USES = [
    Use(0x8F000001, {"D": SUCCESS}, ADDRESS),
    Use(0x8F000006, {"D": SUCCESS}, ADDRESS),
    Use(0x9800000C, {"D": SUCCESS}, bytes(4)),
    Use(0x98000015, {"d": SUCCESS}, bytes(2)),
    Use(0xC8000014, dict.fromkeys("LCDS", SUCCESS), ADDRESS, 128),
    Use(0x88000015, dict.fromkeys("LCDS", PENDING), ADDRESS),
    Use(0x48000016, dict.fromkeys("BLCDS", SUCCESS), None, 512, is_without_irp=True),
    Use(0x28000017, dict.fromkeys("BLCDS", PENDING)),
    Use(0xCF000002, dict.fromkeys("BLCDS", NOT_SUPPORTED), is_without_irp=True),
    Use(0x4F000005, dict.fromkeys("BLCDS", DEVICE_REQUEST), None, 16, is_without_irp=True),
    Use(0x98000010, {"L": SUCCESS, **dict.fromkeys("BCDS", NOT_SUPPORTED)}, b"\1"),
    Use(0x4F000003, dict.fromkeys("CS", SUCCESS), None, 8),
    Use(0x4F000004, dict.fromkeys("CS", SUCCESS), None, 8),
    Use(0x2F000007, dict.fromkeys("CS", SUCCESS)),
    Use(0xD8000027, dict.fromkeys("CS", SUCCESS), bytes(4), 256),
    Use(0x980000DC, dict.fromkeys("CS", NOT_FOUND), None, 64),
    Use(0x980000DD, dict.fromkeys("CS", NOT_FOUND), None, 64),
    Use(0x980000DE, dict.fromkeys("CS", DEVICE_STATE), bytes(8)),
    Use(0x98000004, dict.fromkeys("LCS", SUCCESS), bytes(12)),
    Use(0x98000011, {"L": SUCCESS, "C": DEVICE_STATE, "S": DEVICE_STATE}, b"\1\0\0\0"),
    Use(0x98000017, dict.fromkeys("LCS", SUCCESS), b"\1\0\0\0"),
]


def socket(lab: Lab, letter: str) -> WSK_SOCKET:
    if letter in "Bd":
        return lab.socket(lab.near, {"B": 0, "d": 4}[letter])
    if letter in "LD":
        return lab.bound(lab.near, {"L": 1, "D": 4}[letter])
    lab.listener()
    Socket = lab.bound(lab.near, {"C": 2, "S": 8}[letter])
    ok(simple.connect(Socket, simple.address(FAR, PORT)))
    return Socket


@pytest.mark.parametrize(
    ("use", "letter"),
    [(use, letter) for use in USES for letter in use.answers],
    ids=lambda value: getattr(value, "number", value),
)
def test_an_ioctl_answers_each_category_that_has_it(lab: Lab, use: Use, letter: str) -> None:
    Socket = socket(lab, letter)
    given: Any = use.given
    size = 16 if given == ADDRESS else len(given or b"")
    buffer = simple.address(FAR, 9) if given == ADDRESS else bytearray(given) if given else None
    output = bytearray(use.room) if use.room else None
    arguments = (Socket, WskIoctl, use.number, 0, size, buffer, use.room, output, [0])

    without = Socket.Dispatch.WskControlSocket(*arguments, None)
    assert without == (use.answers[letter] if use.is_without_irp else INVALID_PARAMETER)
    assert start(Socket.Dispatch.WskControlSocket, *arguments).returned == use.answers[letter]


@pytest.mark.rule("D-17")
@pytest.mark.parametrize("use", USES, ids=lambda use: use.number)
def test_whatever_it_is_given_the_others_refuse_it(lab: Lab, use: Use) -> None:
    given: Any = use.given
    size = 16 if given == ADDRESS else len(given or b"")
    for letter, Flags in zip("BLCDS", (0, 1, 2, 4, 8), strict=True):
        if letter not in use.answers and letter.lower() not in use.answers:
            Socket = lab.socket(lab.near, Flags)
            buffer = simple.address(FAR, 9) if given == ADDRESS else bytearray(given) if given else None
            output = bytearray(use.room) if use.room else None
            request = start(
                Socket.Dispatch.WskControlSocket, Socket, WskIoctl, use.number, 0, size, buffer, use.room, output, [0]
            )
            assert request.returned == INVALID_PARAMETER, letter
