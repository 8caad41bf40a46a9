"""The carrier over the SAN provider itself: two hosts, and a SAN link between them."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.support.san_carried import Application
from tests.support.san_lab import Caller, SanLab, san_lab
from wsknet.san.numbers import WSAECONNRESET
from wsknet.san.policy import SanPolicy
from wsknet.san.structures import INT, WSAOVERLAPPED
from wsknet.san.switch.carrier import Carrier
from wsknet.san.switch.loaded import MANDATORY, OPTIONAL

NO_READ = SanPolicy(supports_rdma_read=False)
ODD = SanPolicy(max_message_size=777, max_rdma_size=5001, rdma_threshold=600, message_buffers=6)


class Loaded:
    """What `LoadedProvider` tells of the provider of `caller`."""

    def __init__(self, caller: Caller, s: int, policy: SanPolicy) -> None:
        missing = [] if policy.supports_rdma_read else ["WSPRdmaRead"]
        guids = {name: guid for name, guid in (MANDATORY | OPTIONAL).items() if name not in missing}
        self.table = caller.table
        self.extensions = {name: caller.extension(s, guid) for name, guid in guids.items()}
        self.limits: dict[int, int] = {}


class Connection:
    def __init__(self, lab: SanLab, policy: SanPolicy) -> None:
        self.lab = lab
        first, second, _ = lab.connected()
        self.carriers: list[Carrier] = []
        self.a, self.b = (
            self._application(caller, s, policy, is_initiator=caller is lab.callers[0])
            for caller, s in zip(lab.callers, (first, second), strict=True)
        )
        lab.run()

    def _application(self, caller: Caller, s: int, policy: SanPolicy, *, is_initiator: bool) -> Application:
        loaded = Loaded(caller, s, policy)
        application = Application(caller.host, loaded, s, policy, is_initiator=is_initiator)

        def complete(handle: int, overlapped: WSAOVERLAPPED, error: int, count: int, lpErrno: INT) -> int:
            application.carrier.completed(overlapped, error, count)
            return 0

        caller.upcalls.lpWPUCompleteOverlappedRequest = complete
        application.start()
        return application

    def do(self, application: Application, method: str, *arguments: Any) -> Any:
        with application.host.pump:
            return getattr(application.carrier, method)(*arguments)


@pytest.mark.rule("SAN-6.6.2", "SAN-11.6", "SAN-11.7")
@pytest.mark.parametrize("policy", [SanPolicy(), NO_READ, ODD], ids=["read", "write", "odd"])
def test_megabytes_go_both_ways_and_both_close(policy: SanPolicy) -> None:
    data = [Random(side).randbytes(1_000_003) for side in range(2)]
    with san_lab(policy=policy) as lab:
        pair = Connection(lab, policy)
        for application, mine in zip((pair.a, pair.b), data, strict=True):
            pair.do(application, "write", mine)
            assert pair.do(application, "write", b"small") == 5
            pair.do(application, "finish")
        lab.run(30)

        assert bytes(pair.b.received) == data[0] + b"small"
        assert bytes(pair.a.received) == data[1] + b"small"
        for application in (pair.a, pair.b):
            assert sorted(map(str, application.news)) == ["finished", "flushed"]
            pair.do(application, "close")
        lab.run()
        assert pair.a.news[-1] == pair.b.news[-1] == "closed"
        assert lab.callers[0].handles == {}


def test_close_delivers_what_was_written_and_the_peer_sees_the_end_of_the_stream() -> None:
    with san_lab() as lab:
        pair = Connection(lab, SanPolicy())
        pair.do(pair.a, "write", bytes(300_000))
        pair.do(pair.a, "close")
        lab.run(5)

        assert len(pair.b.received) == 300_000
        assert pair.b.news == ["finished"]
        assert pair.do(pair.b, "write", b"too late") == 8
        assert pair.b.news == ["finished", WSAECONNRESET]
        assert pair.do(pair.b, "write", b"once more") == 0
        assert pair.a.news == ["closed"]


@pytest.mark.rule("SAN-6.7.2")
def test_an_abort_in_the_middle_resets_the_peer() -> None:
    with san_lab() as lab:
        pair = Connection(lab, SanPolicy())
        pair.do(pair.a, "write", bytes(5_000_000))
        lab.run(0.001)
        pair.do(pair.a, "abort")
        lab.run(5)

        assert pair.b.news == [WSAECONNRESET]
        assert pair.a.news[-1] == "closed"


def test_an_application_that_does_not_read_holds_the_peer_back() -> None:
    with san_lab() as lab:
        pair = Connection(lab, SanPolicy())
        pair.b.reads = False
        pair.do(pair.a, "write", bytes(1_000_000))
        lab.run(5)
        assert 0 < pair.b.carrier.readable < 65_536 + 8 * 16_384

        pair.b.reads = True
        with pair.b.host.pump:
            pair.b.read(1 << 20)
        lab.run(5)
        assert len(pair.b.received) == 1_000_000
        assert (pair.a.news, pair.a.carrier.unsent) == ([], 0)
