"""MDL chains, and what a WSK_BUF describes of one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsknet.host import Host, Network
from wsknet.wsk import (
    IRP,
    MDL,
    WSK_BUF,
    BugCheck,
    IoAllocateMdl,
    IoBuildPartialMdl,
    IoFreeMdl,
    IoReadAccess,
    KernelMode,
    MmBuildMdlForNonPagedPool,
    MmGetMdlByteCount,
    MmGetMdlByteOffset,
    MmGetMdlVirtualAddress,
    MmGetSystemAddressForMdlSafe,
    MmProbeAndLockPages,
    MmUnlockPages,
    NormalPagePriority,
    kernel_of,
)
from wsknet.wsk.mdl import views_of, writable_views_of


def chain(*pieces: bytes | bytearray) -> MDL:
    """Built MDLs, one for each piece."""
    first: MDL | None = None
    for piece in reversed(pieces):
        Mdl = IoAllocateMdl(piece, len(piece), False, False, None)
        assert Mdl is not None
        MmBuildMdlForNonPagedPool(Mdl)
        Mdl.Next = first
        first = Mdl
    assert first is not None
    return first


def described(Buffer: WSK_BUF) -> bytes:
    return b"".join(views_of(Buffer))


@pytest.mark.rule("R-349")
@given(
    pieces=st.lists(st.binary(min_size=1, max_size=6), min_size=1, max_size=5),
    place=st.tuples(st.integers(0, 5), st.integers(0, 30)),
)
def test_a_buffer_is_a_piece_of_the_whole_chain(pieces: list[bytes], place: tuple[int, int]) -> None:
    whole = b"".join(pieces)
    offset = min(place[0], len(pieces[0]) - 1)
    length = min(place[1], len(whole) - offset)

    with Network() as network, network.host("alone").activate():
        assert described(WSK_BUF(chain(*pieces), offset, length)) == whole[offset : offset + length]


@pytest.mark.rule("R-213", "R-350")
def test_an_empty_buffer_needs_no_mdl_and_has_no_offset() -> None:
    assert views_of(WSK_BUF(None, 99, 0)) == []


@pytest.mark.usefixtures("host")
class TestLimits:
    @pytest.mark.rule("R-348")
    def test_the_offset_lies_in_the_first_mdl(self) -> None:
        with pytest.raises(BugCheck, match="R-348"):
            views_of(WSK_BUF(chain(b"abc", b"defg"), 3, 1))

    @pytest.mark.rule("D-19")
    @pytest.mark.parametrize("Buffer", [WSK_BUF(None, 0, 1), None])
    def test_a_length_beyond_the_chain_is_a_bug(self, Buffer: WSK_BUF | None) -> None:
        with pytest.raises(BugCheck, match="D-19"):
            views_of(Buffer or WSK_BUF(chain(b"abc", b"d"), 1, 4))

    @pytest.mark.rule("D-19")
    def test_an_mdl_cannot_be_longer_than_its_memory(self) -> None:
        with pytest.raises(BugCheck, match="D-19"):
            IoAllocateMdl(bytearray(3), 4, False, False, None)

    def test_memory_that_is_not_locked_cannot_be_used(self) -> None:
        Mdl = IoAllocateMdl(bytearray(3), 3, False, False, None)
        assert Mdl is not None

        with pytest.raises(BugCheck, match="not locked"):
            views_of(WSK_BUF(Mdl, 0, 3))
        with pytest.raises(BugCheck, match="not locked"):
            MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority)

    def test_memory_that_is_only_read_cannot_be_received_into(self) -> None:
        assert writable_views_of(WSK_BUF(chain(bytearray(3)), 0, 3)) == [memoryview(bytes(3))]
        with pytest.raises(BugCheck, match="cannot be written"):
            writable_views_of(WSK_BUF(chain(b"abc"), 0, 3))


def test_an_mdl_shares_the_memory_it_describes(host: Host) -> None:
    memory = bytearray(b"abcdef")
    Mdl = chain(memory)
    MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority)[0:1] = b"x"

    assert memory == b"xbcdef"
    assert (MmGetMdlByteCount(Mdl), MmGetMdlByteOffset(Mdl)) == (6, 0)
    assert MmGetMdlVirtualAddress(Mdl) is memory
    with pytest.raises(BufferError):
        memory.append(1)  # lent


def test_locking_and_unlocking(host: Host) -> None:
    Mdl = IoAllocateMdl(bytearray(b"abc"), 2, False, False, None)
    assert Mdl is not None
    MmProbeAndLockPages(Mdl, KernelMode, IoReadAccess)
    assert described(WSK_BUF(Mdl, 0, 2)) == b"ab"

    MmUnlockPages(Mdl)
    with pytest.raises(BugCheck):
        views_of(WSK_BUF(Mdl, 0, 2))
    IoFreeMdl(Mdl)


def test_a_partial_mdl(host: Host) -> None:
    memory = bytearray(b"abcdef")
    target: Any = IoAllocateMdl(memory, 6, False, False, None)
    IoBuildPartialMdl(chain(memory), target, memoryview(memory)[2:], 3)

    assert described(WSK_BUF(target, 0, 3)) == b"cde"


def test_mdls_are_chained_to_an_irp(host: Host) -> None:
    Irp = IRP()
    mdls = [IoAllocateMdl(bytearray(1), 1, is_secondary, False, Irp) for is_secondary in (False, True, True)]

    assert Irp.MdlAddress is mdls[0]
    assert mdls[0] is not None
    assert mdls[0].Next is mdls[1]
    assert mdls[1] is not None
    assert mdls[1].Next is mdls[2]


def test_allocation_can_be_made_to_fail(host: Host) -> None:
    kernel_of(host).allocation_fails = lambda function: function == "IoAllocateMdl"

    assert IoAllocateMdl(bytearray(1), 1, False, False, None) is None
