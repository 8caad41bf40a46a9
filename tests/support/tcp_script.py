'''Behaviour scripts: a segment in at a time, a segment expected out at a time, as users of packetdrill write them.

    script("""
        +0     connect
        +0     > S 0:0(0) win 65535 <mss $mss,nop,wscale 8,nop,nop,sackOK>
        +.020  < S. 0:0(0) ack 1 win 65535 <mss 1000>
        +0     > . 1:1(0) ack 1
        +0     write 2500
        +0     > . 1:2001(2000) ack 1 by 1000
        +.020  < . 1:1(0) ack 2001 win 65535
        +0     > P. 2001:2501(500) ack 1
    """, family)

The clock is virtual and the stack answers in no time.  One step per line; ``#`` starts a comment.

Time.  ``0.5``: so many seconds after the start; ``+.5``: after the step before.  Of what is expected also ``+.1~+.2``
(between the two) and ``*`` (whenever it comes); a time is met when it is right to half a millisecond.  Every segment
of the stack has to be expected, before the next step that is not an expectation and before the end of the script.  So
``+5 nothing`` says that nothing is sent for five seconds.

Segments.  ``<`` is one of the peer's, ``>`` one of ours::

    [ECN] FLAGS START:END(LENGTH) ack N win N urg N <OPTIONS> by N port N "TEXT"

Flags: S, F, R, P, U, E, W (CWR), ``.`` (ACK), or ``-`` for none; what is expected must have these and no others.
Numbers are relative, 0 is the SYN of their side; on the wire both streams start a few bytes before 2^32.  START:END
counts data alone, not SYN and FIN; (LENGTH) may be left out.  ``win`` is the field as on the wire, not scaled: 65535 if
the peer does not say it, not compared if the expectation does not.  Of what is expected START:END and the other numbers
may be ``*``, and ``by 1000`` stands for several segments of at most 1000 bytes at the same time.  Data is compared with
what was written.  ``port`` is the peer's, unless it is the usual one.  "TEXT" is what the peer sends in place of bytes
that tell their position.  ECN, the bits of the IP header: noecn, ect0, ect1, ce.

Options: ``mss 1460``, ``wscale 8``, ``sackOK``, ``sack 1:11 21:31``, ``TS val 100 ecr 200``, ``FO 0123`` (Fast Open
cookie, hexadecimal; ``FO`` asks for one), ``nop``, ``eol``, ``opt 254 f989`` (any other).  What is expected must have
just these in just this order; ``<...>`` is whatever comes, no ``<>`` is none.  Our timestamps count from that of the
first segment that the script expects with a value; the peer's are as on the wire; ``*`` is any.  Blocks of a SACK are
in the numbers of the stream that it acknowledges.

ICMP about a segment of ours: ``< [1:1001(1000)] icmp frag_needed mtu 1200``; the kinds are in
`tcp_script_steps.ICMP_KINDS` and mean the same over both families.

Calls: ``connect``, ``listen [BACKLOG]``, ``accept [none]``, ``write N|"TEXT" [nodelay]``, ``read N|all``, ``shutdown``
(our FIN), ``close [listener]``, ``abort``, ``set PROPERTY on|off|N|5s|20ms`` (of `TcpEndpoint`), ``keepalive IDLE
INTERVAL PROBES`` (``2s``, ``500ms``).  ``connect ! NO_ROUTE``: the call fails with this `ErrorKind`.  In place of a
handshake: ``established [win N] [mss N] [wscale N] [sackOK]`` (we connected), ``accepted [win N] [mss N]`` (the peer
did).

Questions: ``state FIN_WAIT_1``, ``error RESET|none``, ``told READABLE PEER_FINISHED`` or ``told nothing`` (all that the
owner heard since it was last asked), ``drops TCP_BAD_ACK ...`` or ``drops nothing`` (all since last asked), ``readable
N``, ``unacknowledged N``, ``peer_finished yes|no``, ``connections N`` (in the tables of the stack, TIME-WAIT included),
``nothing``.

``$mss`` is what our link takes with the family of the run; further ``$names`` are arguments of `script`.
'''

from __future__ import annotations

from inspect import signature
from string import Template

from tests.support import tcp_script_options as tcp_options
from tests.support import tcp_script_segment
from tests.support.tcp_lab import TcpLab
from tests.support.tcp_peer import OUR_ADDRESS, OUR_ISS, OUR_PORT, PEER_PORT, Received
from tests.support.tcp_script_calls import CALLS, Application, pattern
from tests.support.tcp_script_segment import ECN, SegmentLine
from tests.support.tcp_script_steps import Call, IcmpIn, ScriptSyntaxError, SegmentIn, SegmentOut, Step, When, parse
from wsknet.behaviour import WINDOWS, Behaviour
from wsknet.config import TcpConfig
from wsknet.errors import NetError
from wsknet.types import MILLISECOND, SECOND, Duration, Family, Instant
from wsknet.wire.tcp_options import NO_OPTIONS

_TOLERANCE = MILLISECOND // 2
_FOR_EVER: Duration = 24 * 3600 * SECOND
_AT_ONCE = When(0, 0, True)
_HEADERS = {Family.IPV4: 40, Family.IPV6: 60}


class ScriptFailure(AssertionError):
    """The stack did something else.  Shows the script up to the step, what was expected and what came."""


class Script:
    """A conversation that may be told in several pieces, with other assertions between them."""

    def __init__(
        self,
        family: Family = Family.IPV4,
        behaviour: Behaviour = WINDOWS,
        tcp_config: TcpConfig | None = None,
        mtu: int = 1500,
    ) -> None:
        self.lab = TcpLab(family, behaviour, tcp_config, mtu)
        self.application = Application(self.lab)
        self.names: dict[str, object] = {"mss": mtu - _HEADERS[family]}
        self._start = self._last = self.lab.now
        self._clock_base: int | None = None
        """What our timestamp clock shows at the script's 0."""
        self.latest: Received | None = None
        """The segment that was expected last, and came."""

    def run(self, text: str) -> Script:
        try:
            steps = parse(Template(text).substitute(self.names), CALLS)
        except KeyError as unknown:
            raise ScriptSyntaxError(f"${unknown.args[0]} is none of ${', $'.join(self.names)}") from None
        if not steps:
            raise ScriptSyntaxError("no step at all")
        for index, step in enumerate(steps):
            try:
                self._take(step)
            except AssertionError as failure:
                raise ScriptFailure(self._report(steps[: index + 1], failure)) from None
        try:
            self._expect_no_more("the end of the script")
        except AssertionError as failure:
            raise ScriptFailure(self._report(steps, failure)) from None
        return self

    # Steps

    def _take(self, step: Step) -> None:
        action = step.action
        if isinstance(action, SegmentOut):
            pieces = action.segment.pieces()
            for piece in pieces:
                try:
                    self._expect(piece, step.when if piece is pieces[0] else _AT_ONCE)
                except AssertionError as failure:
                    if len(pieces) == 1:
                        raise
                    raise AssertionError(f"segment {piece.start}:{piece.end} of it: {failure}") from None
            return
        at = self._at(step.when.low or 0, step.when)
        assert at >= self.lab.now, f"it is {self._clock(self.lab.now)} already"
        self.lab.clock.advance(at - self.lab.now, until_sent=True)
        self._expect_no_more("this step")
        self._last = at
        if isinstance(action, SegmentIn):
            self._send(action.segment)
        elif isinstance(action, IcmpIn):
            self._send_icmp(action)
        else:
            self._call(action)
        self.lab.settle()

    def _at(self, moment: Duration, when: When) -> Instant:
        return Instant((self._last if when.is_relative else self._start) + moment)

    def _call(self, call: Call) -> None:
        function = CALLS[call.name]
        try:
            signature(function).bind(self.application, *call.words)
        except TypeError as error:
            raise ScriptSyntaxError(f"{call.name}: {error}") from None
        failure = "none"
        try:
            function(self.application, *call.words)
        except NetError as error:
            failure = error.kind.name
        assert failure == (call.error or "none"), f"the call failed with: {failure}"

    def _send(self, segment: SegmentLine) -> None:
        assert segment.start is not None
        offset = segment.offset
        assert offset is not None
        data = segment.text if segment.text is not None else pattern(offset, segment.length)
        self._remember(offset, data)
        options = b"".join(option.encode(OUR_ISS, self._clock_base or 0) for option in segment.options or ())
        self.lab.peer.send(
            segment.flags.replace("W", "C"),
            segment.start,
            segment.ack or 0,
            data,
            65535 if segment.window is None else segment.window,
            options=options + bytes(-len(options) % 4),
            port=segment.port,
            urgent=segment.urgent or 0,
            traffic_class=ECN[segment.ecn or "noecn"],
        )

    def _remember(self, offset: int, data: bytes) -> None:
        stream = self.application.sent_by_peer
        end = offset + len(data)
        if len(stream) < end:
            stream += pattern(len(stream), end - len(stream))
        if offset >= 0:
            stream[offset:end] = data

    def _send_icmp(self, icmp: IcmpIn) -> None:
        ours = OUR_ADDRESS[self.lab.family]
        about = Received(self.lab.now, "A", icmp.start, 0, 0, bytes(icmp.length), NO_OPTIONS, OUR_PORT, PEER_PORT, ours)
        self.lab.peer.send_icmp_error(icmp.kind, about, icmp.mtu)

    # Expectations

    def _expect(self, wanted: SegmentLine, when: When) -> None:
        peer, clock = self.lab.peer, self.lab.clock
        self.lab.settle()
        low = self.lab.now if when.low is None else self._at(when.low, when)
        high = Instant(self.lab.now + _FOR_EVER) if when.low is None else self._at(when.high, when)
        clock.advance(max(high + _TOLERANCE - self.lab.now, 0), until_sent=True)
        assert peer.segments, f"nothing was sent by {self._clock(high)}"
        found = peer.segments.popleft()
        options = self._options_of(found, wanted)
        different = wanted.differences(found, options, self._written(wanted))
        if not low - _TOLERANCE <= found.at <= high + _TOLERANCE:
            different.insert(
                0, f"time: wanted at {self._clock(low)}" + (f" to {self._clock(high)}" if high > low else "")
            )
        assert not different, (
            f"came at {self._clock(found.at)}:  > {self._text(found)}\ndifferent: {', '.join(different)}"
        )
        self._last = found.at
        self.latest = found

    def _options_of(self, found: Received, wanted: SegmentLine) -> tuple[tcp_options.Option, ...]:
        if self._clock_base is None:
            value = tcp_options.timestamp_of(wanted.options or ())
            given = tcp_options.timestamp_of(tcp_script_segment.options_of(found, 0))
            if value is not None and given is not None:
                self._clock_base = given - value
        return tcp_script_segment.options_of(found, self._clock_base or 0)

    def _written(self, wanted: SegmentLine) -> bytes | None:
        """What the stream has where the segment should lie; None if that is not known."""
        offset = wanted.offset
        if offset is None or offset < 0 or offset + wanted.length > len(self.application.written):
            return None
        return bytes(self.application.written[offset : offset + wanted.length])

    def _expect_no_more(self, before: str) -> None:
        self.lab.settle()
        unexpected = [f"at {self._clock(found.at)}:  > {self._text(found)}" for found in self.lab.peer.segments]
        assert not unexpected, "\n".join([f"sent before {before}, and not expected:", *unexpected])

    # Words

    def _clock(self, at: int) -> str:
        return f"{(at - self._start) / SECOND:.6f}"

    def _text(self, found: Received) -> str:
        return tcp_script_segment.render(found, tcp_script_segment.options_of(found, self._clock_base or 0))

    def _report(self, steps: list[Step], failure: AssertionError) -> str:
        lab = self.lab
        lines = [f"    {step.line:3}  {step.text}" for step in steps]
        lines[-1] = f"--> {lines[-1][4:]}"
        return "\n".join([f"script over {lab.family.name}:", *lines, str(failure)])


def script(
    text: str,
    family: Family = Family.IPV4,
    behaviour: Behaviour = WINDOWS,
    tcp_config: TcpConfig | None = None,
    mtu: int = 1500,
    **names: object,
) -> Script:
    """Run `text`; ``$name`` in it is replaced by the argument of that name."""
    conversation = Script(family, behaviour, tcp_config, mtu)
    conversation.names.update(names)
    return conversation.run(text)
