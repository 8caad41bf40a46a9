"""Several datagrams of one flow handed over as one (UDP_RECV_MAX_COALESCED_SIZE of IPPROTO_UDP Socket Options)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsknet.transport.datagram import Datagram


def coalesce(datagrams: Iterable[Datagram], limit: int) -> list[Datagram]:
    """All of `datagrams`, the first ones of each flow together in at most `limit` bytes.

    What goes together has equal sizes, but the last may be shorter.  Larger ones than `limit` stay as they are.
    """
    whole: list[Datagram] = []
    run: list[Datagram] = []
    for datagram in datagrams:
        if not _continues(run, datagram, limit):
            whole += _joined(run)
            run = []
        run.append(datagram)
    return whole + _joined(run)


def first_run(datagrams: Iterable[Datagram], limit: int) -> Datagram:
    """The first of what `coalesce` returns."""
    run: list[Datagram] = []
    for datagram in datagrams:
        if run and not _continues(run, datagram, limit):
            break
        run.append(datagram)
    return _joined(run)[0]


def _continues(run: list[Datagram], datagram: Datagram, limit: int) -> bool:
    """Whether `datagram` may be added; no run is longer than `limit` allows, so this takes a bounded time."""
    if not run or datagram.report is not None:
        return False
    first = run[0]
    size = len(first.data)
    return (
        0 < len(datagram.data) <= size == len(run[-1].data)
        and size * len(run) + len(datagram.data) <= limit
        and first.report is None
        and first[1:] == datagram[1:]
    )


def _joined(run: list[Datagram]) -> list[Datagram]:
    if len(run) < 2:
        return run
    first = run[0]
    data = b"".join(datagram.data for datagram in run)
    return [first._replace(data=data, message_size=len(first.data))]
