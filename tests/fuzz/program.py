"""Bytes as a programme of frames, calls and time: every string of bytes is one, and small changes of it stay small.

So a fuzzer that knows nothing of protocols mutates structure: which frame, which field, how far from what would fit.
"""

from __future__ import annotations

from itertools import islice

from tests.fuzz.seeds import LISTENING
from tests.fuzz.world import (
    ASKING_PORT,
    CLIENT_PORT,
    FAST_PORT,
    GROUP,
    IF_INDEX,
    PEER,
    TEMPLATES,
    US,
    Followed,
    Numbers,
    World,
)
from tests.support.repair import repaired
from wsknet.errors import NetError
from wsknet.net import changes
from wsknet.transport.tcp.endpoint import TcpEndpoint
from wsknet.transport.tcp.inspections import Verdict
from wsknet.transport.udp.endpoint import UdpEndpoint
from wsknet.types import MILLISECOND, SECOND, Endpoint, Family, Proto
from wsknet.wire.tcp import ACK, FIN, PSH, RST, SYN, URG

MOST_STEPS = 400
_MOST_ENDPOINTS = 24
_MOST_LENT = 200_000

_FLAGS = (ACK, ACK, ACK, ACK | PSH, ACK | FIN, SYN, SYN | ACK, RST, RST | ACK, ACK | URG, 0, FIN, SYN | FIN, 0xFF)
_OFFSETS = (0, 0, 0, 0, 0, 0, 1, -1, 2, 10, -10, 500, -500, 1460, -1460, 2920, 3000, 65535, -65536, 1 << 20, 1 << 31)
_LENGTHS = (0, 0, 0, 1, 2, 10, 100, 536, 1000, 1400, 1460)
_WINDOWS = (65535, 65535, 0, 1, 100, 3000, 8192, 500)
_OPTIONS = (
    b"",
    b"",
    b"\x02\x04\x05\xb4",
    b"\x02\x04\x05\xb4\x01\x03\x03\x07\x04\x02\x08\x0a\0\0\x10\0\0\0\0\0\0\0",
    b"\x02\x04\0\x01",
    b"\x01\x03\x03\xff",
    b"\x01\x01\x08\x0a\0\0\x10\0\0\0\0\0",
    b"\x01\x01\x08\x0a\xff\xff\0\0\xff\xff\xff\xff",
    b"\x01\x01\x22\x0a\1\2\3\4\5\6\7\x08",
    b"\x02\x04\x05\xb4\x22\x12" + bytes(16) + b"\0\0",
)
_PORTS = (LISTENING, LISTENING, FAST_PORT, ASKING_PORT, CLIENT_PORT)
_TIMES = (0, 1, MILLISECOND, 40 * MILLISECOND, 300 * MILLISECOND, SECOND, 5 * SECOND, 130 * SECOND)
_ICMP_ERRORS = {
    Family.IPV4: ((3, 0), (3, 1), (3, 2), (3, 3), (3, 4), (3, 13), (11, 0), (11, 1), (12, 0), (4, 0), (3, 99)),
    Family.IPV6: ((1, 0), (1, 1), (1, 3), (1, 4), (2, 0), (3, 0), (3, 1), (4, 0), (4, 1), (1, 99), (100, 0)),
}
_MTUS = (0, 68, 552, 600, 1279, 1280, 1400, 1500, 65535)


class Reader:
    """Takes a programme apart; past its end everything is zero."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def is_done(self) -> bool:
        return self._at >= len(self._data)

    def byte(self) -> int:
        value = self._data[self._at] if self._at < len(self._data) else 0
        self._at += 1
        return value

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def take(self, length: int) -> bytes:
        piece = self._data[self._at : self._at + length]
        self._at += length
        return piece

    def of(self, choices: tuple[int, ...]) -> int:
        return choices[self.byte() % len(choices)]


def run(data: bytes) -> World:
    """The world after the programme `data`, whose first byte chooses it.  Raises what must not happen."""
    reader = Reader(data)
    world = World(reader.byte())
    steps = 0
    while not reader.is_done and steps < MOST_STEPS:
        steps += 1
        step = _STEPS[reader.byte() % len(_STEPS)]
        step(world, reader)
        world.settle()
    return world


# Frames


def _template(world: World, reader: Reader) -> None:
    """A good frame with wounds."""
    frame = bytearray(TEMPLATES[reader.byte() % len(TEMPLATES)])
    wounds = reader.byte()
    for _ in range(wounds & 3):
        at = 12 + reader.byte() % (len(frame) - 12)
        frame[at] = reader.byte()
    if wounds & 4:
        del frame[14 + reader.byte() :]
    if wounds & 8:
        frame += reader.take(reader.byte())
    world.receive(bytes(frame) if wounds & 0x70 == 0x70 else repaired(bytes(frame)))


def _raw(world: World, reader: Reader) -> None:
    world.receive(reader.take(reader.byte()))


def _behind_a_header(world: World, reader: Reader) -> None:
    """Whatever bytes as the payload of a packet."""
    family = _family(reader)
    protocol = reader.of((1, 2, 6, 17, 0, 43, 44, 58, 59, 60, 200))
    hop_limit = 255 if reader.byte() & 1 else 64
    world.packet(family, protocol, reader.take(reader.byte()), hop_limit)


def _segment(world: World, reader: Reader) -> None:
    """A segment for a connection that is there, its numbers near those that fit."""
    followed = world.followed
    if not followed:
        _new_connection(world, reader)
        return
    key, numbers = next(islice(followed.items(), reader.byte() % len(followed), None))
    _send_segment(world, reader, key, numbers, reader.of(_FLAGS))


def _new_connection(world: World, reader: Reader) -> None:
    family = _family(reader)
    port = reader.of(_PORTS)
    key = Followed(family, port, 40_000 + reader.byte())
    known = world.followed.get(key) or Numbers(0, 0xFFFFFFF0)
    _send_segment(world, reader, key, known, SYN)


def _handshake(world: World, reader: Reader) -> None:
    """The other half of an attempt to connect: an answer that fits, and options of all kinds."""
    waiting = [item for item in world.followed.items() if item[1].theirs in (0, 0xFFFFFFF1)]
    if waiting:
        key, numbers = waiting[reader.byte() % len(waiting)]
        options = _OPTIONS[reader.byte() % len(_OPTIONS)]
        if numbers.theirs:
            world.segment(key, numbers.theirs, numbers.ours, ACK, reader.of(_WINDOWS))
        else:
            world.segment(key, 0xFFFFFFF0, numbers.ours, SYN | ACK, reader.of(_WINDOWS), options)


def _early(world: World, reader: Reader) -> None:
    """A SYN with data and a cookie, which may be the right one."""
    family = _family(reader)
    key = Followed(family, reader.of(_PORTS), 40_000 + reader.byte())
    shape = reader.byte()
    cookie = bytearray(world.stack.tcp.fast_open.cookie(PEER[family]))
    if shape & 1:
        cookie[shape % len(cookie)] ^= shape
    option = bytes((34, 2 + len(cookie))) + bytes(cookie) if shape & 6 else b"\x22\x02"
    options = b"\x02\x04\x05\xb4" + option + bytes(-len(option) % 4)
    data = bytes(_LENGTHS[reader.byte() % len(_LENGTHS)])
    world.segment(key, 0xFFFFFFF0, 0, SYN | (FIN if shape & 128 else 0), _WINDOWS[shape >> 3 & 7], options, data)


def _send_segment(world: World, reader: Reader, key: Followed, numbers: Numbers, flags: int) -> None:
    seq = numbers.theirs + reader.of(_OFFSETS)
    ack = numbers.ours + reader.of(_OFFSETS)
    shape = reader.byte()
    options = _sack_blocks(reader, numbers) if shape & 0xC0 == 0xC0 else _OPTIONS[shape >> 3 & 7]
    data = bytes(_LENGTHS[reader.byte() % len(_LENGTHS)])
    world.segment(key, seq, ack, flags, _WINDOWS[shape & 7], options, data)


def _sack_blocks(reader: Reader, numbers: Numbers) -> bytes:
    count = 1 + reader.byte() % 4
    blocks = b""
    for _ in range(2 * count):
        blocks += (numbers.ours + reader.of(_OFFSETS) & 0xFFFFFFFF).to_bytes(4, "big")
    return b"\x01\x01\x05" + bytes((2 + len(blocks),)) + blocks


def _fragments(world: World, reader: Reader) -> None:
    """A datagram in pieces which may overlap, be missing, or lie about their place."""
    family = _family(reader)
    identification = reader.byte()
    for _ in range(1 + reader.byte() % 4):
        place = reader.number(2)
        data = bytes(8 * (reader.byte() % 40))
        if family is Family.IPV6:
            head = bytes((Proto.UDP, 0)) + place.to_bytes(2, "big") + identification.to_bytes(4, "big")
            world.packet(family, 44, head + data)
        else:
            frame = bytearray(TEMPLATES[4][:34] + data)
            frame[18:22] = identification.to_bytes(2, "big") + (place & 0x3FFF).to_bytes(2, "big")
            world.receive(repaired(bytes(frame)))


def _icmp_error(world: World, reader: Reader) -> None:
    """About something that the stack has just sent."""
    if not world.sent:
        return
    about = world.sent[reader.byte() % len(world.sent)]
    family = Family.IPV6 if about[12:14] == b"\x86\xdd" else Family.IPV4
    errors = _ICMP_ERRORS[family]
    kind, code = errors[reader.byte() % len(errors)]
    mtu = reader.of(_MTUS)
    quoted = bytearray(about[14 : 14 + (28 if reader.byte() & 1 else 100)])
    wound = reader.byte()
    if wound & 1 and quoted:
        quoted[wound % len(quoted)] ^= wound
    body = bytes((kind, code, 0, 0)) + mtu.to_bytes(4, "big") + bytes(quoted)
    world.packet(family, Proto.ICMPV6 if family is Family.IPV6 else Proto.ICMP, body)


# Time and tables


def _time(world: World, reader: Reader) -> None:
    world.pass_time(reader.of(_TIMES))


def _change(world: World, reader: Reader) -> None:
    """An address, a route or the link goes or comes."""
    family = _family(reader)
    kind = reader.byte() % 8
    change: changes.Change = (
        changes.AddressRemoved(IF_INDEX, US[family]),
        changes.AddressAdded(IF_INDEX, US[family], 24 if family is Family.IPV4 else 64),
        changes.LinkDown(IF_INDEX),
        changes.LinkUp(IF_INDEX),
        changes.RouteRemoved(bytes(len(US[family])), 0, IF_INDEX, PEER[family]),
        changes.RouteAdded(bytes(len(US[family])), 0, IF_INDEX, PEER[family], 256),
        changes.InterfaceChanged(IF_INDEX, mtu=1280),
        changes.InterfaceChanged(IF_INDEX, mtu=1500),
    )[kind]
    try:
        world.stack.apply(change, world.now)
    except ValueError:
        return  # it names what is not there


# Calls


def _call_tcp(world: World, reader: Reader) -> None:
    endpoint = world.tcp[reader.byte() % len(world.tcp)]
    try:
        _act_on_tcp(world, reader, endpoint)
    except NetError:
        return
    if endpoint.is_closed and endpoint in world.tcp and len(world.tcp) > 1:
        world.tcp.remove(endpoint)


def _act_on_tcp(world: World, reader: Reader, endpoint: TcpEndpoint) -> None:
    action = reader.byte() % 20
    if action < 8:
        _stream(world, reader, endpoint, action)
    elif action < 14:
        _command(world, reader, endpoint, action)
    else:
        _set(world, reader, endpoint, action)


def _stream(world: World, reader: Reader, endpoint: TcpEndpoint, action: int) -> None:
    now = world.now
    match action:
        case 0 | 1 | 2:
            size = reader.of((0, 1, 10, 500, 1460, 5000, 50_000))
            how = reader.byte()
            if endpoint.unacknowledged < _MOST_LENT:
                endpoint.send(bytes(size), now, bool(how & 1), is_urgent=how & 6 == 6)
        case 3 | 4:
            endpoint.receive(reader.of((1, 100, 1 << 20)), now)
        case 5:
            endpoint.finish(now)
        case 6:
            endpoint.abort(now)
        case _:
            endpoint.close(now)


def _command(world: World, reader: Reader, endpoint: TcpEndpoint, action: int) -> None:
    now = world.now
    match action:
        case 8 | 9:
            _keep(world, endpoint.accept(now))
        case 10:
            endpoint.connect(Endpoint(PEER[_family(reader)], 80), now, bytes(reader.byte()))
        case 11:
            endpoint.listen(now, reader.byte())
        case 12:
            _decide(world, reader, endpoint)
        case _:
            _keep(world, None)
            how = reader.byte()
            world.connect(_family(reader), 0, bytes(how) if how & 1 else None)


def _set(world: World, reader: Reader, endpoint: TcpEndpoint, action: int) -> None:
    match action:
        case 14:
            endpoint.keep_alive = not endpoint.keep_alive
        case 15:
            endpoint.receive_buffer = reader.of((1, 100, 3000, 65536, 1 << 20))
        case 16:
            endpoint.user_timeout = reader.of((0, MILLISECOND, SECOND, 100 * SECOND)) or None
        case 17:
            endpoint.no_delay = not endpoint.no_delay
        case 18:
            endpoint.fast_open = not endpoint.fast_open
        case _:
            endpoint.is_conditional = not endpoint.is_conditional


def _decide(world: World, reader: Reader, endpoint: TcpEndpoint) -> None:
    """About the oldest request, perhaps after its time."""
    listener = endpoint.listener
    if listener is None or listener.inspections is None:
        return
    request = listener.inspections.next()
    if request is not None:
        world.pass_time(reader.of((0, 0, SECOND, 200 * SECOND)))
        listener.decide(request.id, tuple(Verdict)[reader.byte() % len(Verdict)], world.now)
    listener.inspections.next_aborted()


def _family(reader: Reader) -> Family:
    return Family.IPV6 if reader.byte() & 1 else Family.IPV4


def _keep(world: World, endpoint: TcpEndpoint | None) -> None:
    """One more to call, and none too many."""
    if endpoint is not None:
        world.tcp.append(endpoint)
    if len(world.tcp) > _MOST_ENDPOINTS:
        world.tcp.pop(0).close(world.now)


def _call_udp(world: World, reader: Reader) -> None:
    endpoint = world.udp[reader.byte() % len(world.udp)]
    family = Family.IPV4 if endpoint is world.udp[0] else Family.IPV6
    try:
        _act_on_udp(world, reader, endpoint, family)
    except NetError:
        return


def _act_on_udp(world: World, reader: Reader, endpoint: UdpEndpoint, family: Family) -> None:
    now = world.now
    match reader.byte() % 7:
        case 0 | 1:
            to = (PEER[family], GROUP[family], US[family], b"\xff" * 4)[reader.byte() % 4]
            size = reader.of((0, 1, 100, 1472, 3000, 65_000))
            endpoint.send((bytes(size),), Endpoint(to, reader.of((LISTENING, 9, 0))), now)
        case 2:
            endpoint.receive()
        case 3:
            endpoint.take_error()
        case 4:
            endpoint.connect(Endpoint(PEER[family], 40_000) if reader.byte() & 1 else None, now)
        case 5:
            endpoint.multicast.leave(GROUP[family], IF_INDEX, now)
        case _:
            endpoint.multicast.join(GROUP[family], IF_INDEX, now)


_STEPS = (
    _segment, _segment, _segment, _segment, _new_connection, _early, _handshake, _template, _template,
    _behind_a_header, _raw, _fragments, _icmp_error, _time, _change, _call_tcp, _call_tcp, _call_udp,
)  # fmt: skip
