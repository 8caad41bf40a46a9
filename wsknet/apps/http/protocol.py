"""One connection of the server: octets in, octets out (RFC 9112 9).

Nothing is taken while an answer is on its way, so whoever asks faster than it reads has to wait, and the memory that a
connection costs is bounded: one head, and what the store allows for.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

from wsknet.apps.http.contents import Slice
from wsknet.apps.http.framing import Chunked, Counted, content_of
from wsknet.apps.http.messages import Answer, HeadReader, Lines, Refusal, Request, refusal_answer
from wsknet.apps.http.site import Site, Upload

JOIN = 16 << 10
"""Octets up to which pieces are joined, so that a small answer goes in one segment with its head."""
MAX_IGNORED = 64 << 10
"""Octets of content that nobody wants which are read all the same, so that the connection can go on."""
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class State(Enum):
    IDLE = auto()
    """Nothing has come of the next request."""
    HEAD = auto()
    CONTENT = auto()
    ANSWER = auto()
    """The answer is complete, and not all of it has been fetched."""
    OVER = auto()
    """No other request is taken: when all answers are fetched, the connection ends."""


class _Ignoring:
    """Passes over content; the answer has been decided."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._count = 0

    def write(self, data: memoryview) -> None:
        self._count += len(data)
        if self._count > MAX_IGNORED:
            raise Refusal(413, "so much content is not expected with this request")

    def finish(self) -> Answer:
        return self._answer


class ServerConnection:
    def __init__(self, site: Site) -> None:
        self.state = State.IDLE
        self._site = site
        self._lines = Lines()
        self._head = HeadReader()
        self._request: Request | None = None
        """The one that is being read or answered, once its head is there."""
        self._content: Counted | Chunked | None = None
        self._upload: Upload | None = None
        self._pieces: deque[bytes | Slice] = deque()
        self._goes_on = True
        """Whether there may be another request behind this one."""

    @property
    def is_over(self) -> bool:
        """There is nothing more to fetch, and nothing more will be answered."""
        return self.state is State.OVER and not self._pieces

    def take(self, data: memoryview) -> int:
        """How many octets of `data` were taken; the rest has to come again once an answer has been fetched.

        What comes when the connection is over is taken and forgotten.
        """
        taken = 0
        try:
            while taken < len(data):
                if self.state is State.ANSWER:
                    return taken
                if self.state is State.OVER:
                    return len(data)
                taken += self._take_some(data[taken:])
        except Refusal as refusal:
            # Where the next request begins is not known any more, or too far away.
            self._refuse(refusal)
            return len(data)
        return taken

    def _take_some(self, data: memoryview) -> int:
        if self._content is not None and self._upload is not None:
            return self._take_content(self._content, self._upload, data)
        line, taken = self._lines.next(data, self._head.too_long)
        if line is None:
            self.state = State.HEAD
            return taken
        request = self._head.line(line)
        self.state = State.IDLE if self._head.request is None else State.HEAD
        if request is not None:
            self._head = HeadReader()
            self._begin(request)
        return taken

    def _take_content(self, content: Counted | Chunked, upload: Upload, data: memoryview) -> int:
        taken = content.feed(data, upload.write)
        if content.is_done:
            self._finish(upload)
        return taken

    def _begin(self, request: Request) -> None:
        """The head is complete."""
        self._request = request
        self._goes_on = request.is_persistent
        content = content_of(request)
        awaits_go = False
        if request.minor and "expect" in request.fields:
            if request.tokens("expect") != ["100-continue"]:
                raise Refusal(417, "the only expectation that can be met is 100-continue")
            awaits_go = not content.is_done
        try:
            outcome = self._site.respond(request, content.length)
        except Refusal as refusal:
            outcome = refusal_answer(refusal)
        if isinstance(outcome, Answer):
            if content.is_done:
                self._answer(outcome)
                return
            if awaits_go or content.length is None or content.length > MAX_IGNORED:
                self._goes_on = False  # the content may come, or not; nobody waits for it
                self._answer(outcome)
                return
            outcome = _Ignoring(outcome)
        elif awaits_go:
            self._pieces.append(CONTINUE)
        self._content, self._upload = content, outcome
        self.state = State.CONTENT
        if content.is_done:
            self._finish(outcome)

    def _finish(self, upload: Upload) -> None:
        """The content is complete."""
        try:
            answer = upload.finish()
        except Refusal as refusal:
            answer = refusal_answer(refusal)
        self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        request, self._request = self._request, None
        self._content = self._upload = None
        connection = None
        if not self._goes_on:
            connection = "close"
        elif request is not None and not request.minor:
            connection = "keep-alive"
        self._pieces.append(answer.head(self._site.clock() // 1_000_000_000, connection))
        if request is None or request.method != "HEAD":
            self._pieces.extend(answer.body)
        self.state = State.ANSWER if self._goes_on else State.OVER

    def fetch(self) -> bytes | memoryview:
        """The next octets to send; none if nothing is to be sent now."""
        pieces = self._pieces
        joined = bytearray()
        while pieces and len(joined) < JOIN:
            piece = pieces.popleft()
            if isinstance(piece, bytes):
                joined += piece
                continue
            content, start, stop = piece
            view = content.read(start, stop - start if not joined else min(stop - start, JOIN - len(joined)))
            start += len(view)
            if start < stop:
                pieces.appendleft(Slice(content, start, stop))
            if not joined and len(view) >= JOIN:
                self._fetched()
                return view
            joined += view
        self._fetched()
        return bytes(joined)

    def _fetched(self) -> None:
        if self.state is State.ANSWER and not self._pieces:
            self.state = State.IDLE

    def end_of_input(self) -> None:
        """The client has closed its side.  A request that is not complete gets no answer that it could expect."""
        if self.state in (State.HEAD, State.CONTENT):
            self._refuse(Refusal(400, "the connection was closed in the middle of a request"))
        elif self.state is State.IDLE:
            self.state = State.OVER
        self._goes_on = False
        if self.state is State.ANSWER:
            self.state = State.OVER

    def time_out(self) -> None:
        """The client has been silent for too long: what it has begun is answered with 408 (RFC 9110 15.5.9)."""
        if self.state in (State.HEAD, State.CONTENT):
            self._refuse(Refusal(408, "the rest of the request did not come"))
        elif self.state is State.IDLE:
            self.state = State.OVER

    def _refuse(self, refusal: Refusal) -> None:
        self._goes_on = False
        self._request = self._request or self._head.request
        self._answer(refusal_answer(refusal))
