"""One question to the DNS servers, from the first query to the answer, without input and output.

Read RFC 1035 7, RFC 5452 9 (what is believed), RFC 7766 (TCP) and RFC 6891 7 (servers without EDNS) before editing.
Datagrams and time go in; `actions`, a `deadline` and at last `result` come out.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from wsknet.names.messages import (
    MalformedError,
    Question,
    RecordType,
    Response,
    ResponseCode,
    decode_response,
    encode_query,
    name_text,
)
from wsknet.names.results import Failure, Records
from wsknet.trace import DropReason
from wsknet.types import SECOND, Duration, Endpoint, Instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

WAITS: tuple[Duration, ...] = (1 * SECOND, 1 * SECOND, 2 * SECOND, 4 * SECOND, 2 * SECOND)
"""What follows each attempt; learn.microsoft.com, "DNS client resolution timeouts" (KB 2834226): queries at 0, 1, 2, 4
and 8 seconds, and the end at 10."""
ALONE = 3
"""As many attempts ask one server each, the next of the list every time, the last ones all at once (as there)."""
STREAM_PATIENCE: Duration = 10 * SECOND
"""For an answer over TCP.  Our own choice: as long as UDP is given altogether."""
MAX_ALIASES = 16
"""CNAME records followed.  Our own bound; RFC 1034 5.2.2 only asks for one."""

_WITHOUT_EDNS = (ResponseCode.FORMAT_ERROR, ResponseCode.NOT_IMPLEMENTED, ResponseCode.BAD_VERSION)


class Action(NamedTuple):
    """Send `query` to `server`."""

    server: Endpoint
    query: bytes
    is_stream: bool
    """Over a new TCP connection; `query` does not begin with its length."""


class Lookup:
    def __init__(self, question: Question, servers: Sequence[Endpoint], rng: Random) -> None:
        self._question = question
        self._servers = tuple(servers)
        self._rng = rng
        self._number = 0
        """The message id: one for all queries of one name, so that a late answer to an earlier one counts."""
        self._attempt = -1
        self._asked: dict[Endpoint, None] = {}
        """Those of whom an answer to the present attempt may still come."""
        self._known: dict[Endpoint, None] = {}
        """Those that have been sent the present question at all."""
        self._failed: dict[Endpoint, None] = {}
        self._without_edns: dict[Endpoint, None] = {}
        self._stream: Endpoint | None = None
        self._aliases = 0
        self._ttl = 0xFFFFFFFF
        self._has_been_answered = False
        self.actions: deque[Action] = deque()
        """To be carried out in order; whoever does it takes them away."""
        self.deadline: Instant | None = None
        """When `expire` is due."""
        self.result: Records | None = None

    def start(self, now: Instant) -> None:
        self._number = self._rng.getrandbits(16)
        self._attempt = -1
        self._known.clear()
        self._next_attempt(now)

    def expire(self, now: Instant) -> None:
        """The deadline has come."""
        if self._stream is not None:
            self.fail(self._stream, now)
        else:
            self._next_attempt(now)

    def fail(self, server: Endpoint, now: Instant, *, is_answer: bool = False) -> None:
        """`server` is of no use: it cannot be reached, its connection has ended, or (`is_answer`) it says so itself."""
        self._has_been_answered |= is_answer
        self._failed[server] = None
        self._asked.pop(server, None)
        if server == self._stream:
            self._stream = None
        if self.result is None and self._stream is None and not self._asked:
            self._next_attempt(now)

    def receive(self, server: Endpoint, data: bytes, now: Instant, *, is_stream: bool = False) -> DropReason | None:
        """A message from `server` arrived; why it is of no use, if it is not."""
        if self.result is not None or server not in self._known or (is_stream and server != self._stream):
            return DropReason.DNS_UNEXPECTED
        try:
            response = decode_response(data)
        except MalformedError:
            return DropReason.DNS_MALFORMED
        if not self._is_answer(response):
            return DropReason.DNS_UNEXPECTED
        if response.is_truncated and not is_stream:
            self._ask_by_stream(server, now)
        elif response.code in _WITHOUT_EDNS and server not in self._without_edns:
            self._without_edns[server] = None
            self._send(server, is_stream)
        elif response.code in (ResponseCode.NO_ERROR, ResponseCode.NAME_ERROR) and not response.is_truncated:
            self._conclude(response, now)
        else:
            self.fail(server, now, is_answer=True)
        return None

    def _is_answer(self, response: Response) -> bool:
        """RFC 5452 9.1.  Who cannot read a query may answer without its question."""
        if response.id != self._number:
            return False
        if response.question is None:
            return response.code == ResponseCode.FORMAT_ERROR
        return response.question.key == self._question.key

    # Asking

    def _next_attempt(self, now: Instant) -> None:
        while True:
            self._attempt += 1
            if self._attempt == len(WAITS) or len(self._failed) == len(self._servers):
                self._give_up()
                return
            self._asked = dict.fromkeys(server for server in self._targets() if server not in self._failed)
            if self._asked:
                break
        self.deadline = Instant(now + WAITS[self._attempt])
        for server in self._asked:
            self._send(server, is_stream=False)

    def _targets(self) -> tuple[Endpoint, ...]:
        if self._attempt >= ALONE:
            return self._servers
        return (self._servers[min(self._attempt, len(self._servers) - 1)],)

    def _send(self, server: Endpoint, is_stream: bool) -> None:
        self._known[server] = None
        query = encode_query(self._question, self._number, with_edns=server not in self._without_edns)
        self.actions.append(Action(server, query, is_stream))

    def _ask_by_stream(self, server: Endpoint, now: Instant) -> None:
        self._has_been_answered = True
        if self._stream is None:
            self._stream = server
            self.deadline = Instant(now + STREAM_PATIENCE)
            self._send(server, is_stream=True)

    def _give_up(self) -> None:
        if self._has_been_answered:
            self._finish(Records(failure=Failure.SERVER_FAILED))
        elif len(self._failed) == len(self._servers):
            self._finish(Records(failure=Failure.UNREACHABLE))
        else:
            self._finish(Records(failure=Failure.NO_ANSWER))

    # Answers

    def _conclude(self, response: Response, now: Instant) -> None:
        """Follow the aliases as far as the answer leads; the servers have to be asked again if that is not the end."""
        name = self._question.key[0]
        while True:
            here = [record for record in response.records if record.owner == name]
            wanted = [record for record in here if record.kind == self._question.kind]
            if wanted:
                values = dict.fromkeys(
                    name_text(record.value) if isinstance(record.value, tuple) else record.value for record in wanted
                )
                ttl = min(self._ttl, *(record.ttl for record in wanted))
                self._finish(Records(tuple(values), name_text(name), ttl=ttl))
                return
            alias = next((record for record in here if record.kind == RecordType.CNAME), None)
            if alias is None:
                break
            self._aliases += 1
            if self._aliases > MAX_ALIASES:
                self._finish(Records(failure=Failure.SERVER_FAILED))
                return
            assert isinstance(alias.value, tuple)
            self._ttl = min(self._ttl, alias.ttl)
            name = tuple(label.lower() for label in alias.value)
        if response.code == ResponseCode.NO_ERROR and name != self._question.key[0] and response.negative_ttl is None:
            self._question = Question(name, self._question.kind)
            self._stream = None
            self.start(now)
            return
        failure = Failure.NO_NAME if response.code == ResponseCode.NAME_ERROR else Failure.NO_DATA
        ttl = min(self._ttl, response.negative_ttl or 0)
        self._finish(Records((), name_text(name), failure, ttl))

    def _finish(self, result: Records) -> None:
        self.result = result
        self.deadline = None
        self.actions.clear()
