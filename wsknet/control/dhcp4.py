"""DHCP for IPv4: RFC 2131 2 and 3, RFC 2132, RFC 3442 (classless routes), RFC 3396 (long options).

Scapy does the fixed header and writes the options.  They are read by hand: option overload and options in several
pieces are unknown to Scapy, and it gives what it cannot read to its caller as if it were an option.
"""

from __future__ import annotations

from scapy.layers.dhcp import BOOTP, DHCP, dhcpmagic

from wsknet.control.fields import address_bytes, address_text
from wsknet.net.messages.dhcp import DhcpKind, DhcpMessage
from wsknet.net.routes import network_of
from wsknet.trace import DropReason
from wsknet.types import Address

MIN_LENGTH = 300
"""Bytes of a BOOTP message (RFC 1542 2.1); some relays and servers drop shorter ones."""

_HEADER_LENGTH = 236
_OPTIONS_AT = _HEADER_LENGTH + len(dhcpmagic)
_SNAME = slice(44, 108)
_FILE = slice(108, 236)
_OP_AT = 0
_HARDWARE = b"\x01\x06"
"""The two bytes after `op`: Ethernet, addresses of 6 bytes."""
_BROADCAST_FLAG = 0x8000
_MAX_OPTION = 255

_REQUEST, _REPLY = 1, 2
_KINDS = {kind.value: kind for kind in DhcpKind}
_OP = {kind: _REPLY if kind in (DhcpKind.OFFER, DhcpKind.ACK, DhcpKind.NAK) else _REQUEST for kind in DhcpKind}

_PAD, _END = 0, 255
_MASK = 1
_ROUTERS = 3
_NAME_SERVERS = 6
_HOST_NAME = 12
_DOMAIN = 15
_MTU = 26
_REQUESTED = 50
_LEASE = 51
_OVERLOAD = 52
_KIND = 53
_SERVER = 54
_PARAMETERS = 55
_TEXT = 56
_RENEWAL = 58
_REBINDING = 59
_CLIENT_ID = 61
_CLASSLESS_ROUTES = 121


def decode(payload: bytes) -> DhcpMessage | DropReason:
    """The direction (`op`) must be that of the kind; an option of a length that it cannot have spoils the message."""
    if payload[_HEADER_LENGTH:_OPTIONS_AT] != dhcpmagic or payload[1:3] != _HARDWARE:
        return DropReason.DHCP_MALFORMED
    try:
        options = _options(payload)
        kind = _KINDS.get(_number(options.get(_KIND, b""), 1))
        if kind is None or payload[_OP_AT] != _OP[kind]:
            return DropReason.DHCP_MALFORMED
        return _message(kind, payload[:_HEADER_LENGTH], options)
    except _MalformedError:
        return DropReason.DHCP_MALFORMED


class _MalformedError(Exception):
    """Never leaves this file."""


def _message(kind: DhcpKind, fixed: bytes, options: dict[int, bytes]) -> DhcpMessage:
    header = BOOTP(fixed)

    def number(option: int, size: int) -> int | None:
        return _number(options[option], size) if option in options else None

    def address(option: int) -> Address | None:
        return _exactly(options[option], 4) if option in options else None

    return DhcpMessage(
        kind,
        transaction=header.xid,
        client_mac=bytes(header.chaddr[:6]),
        seconds=header.secs,
        is_broadcast=bool(int(header.flags) & _BROADCAST_FLAG),
        client_address=address_bytes(header.ciaddr),
        your_address=address_bytes(header.yiaddr),
        server=address(_SERVER),
        requested=address(_REQUESTED),
        lease=number(_LEASE, 4),
        renewal=number(_RENEWAL, 4),
        rebinding=number(_REBINDING, 4),
        prefix_length=_prefix_length(options[_MASK]) if _MASK in options else None,
        routers=_addresses(options, _ROUTERS),
        routes=_classless_routes(options.get(_CLASSLESS_ROUTES, b"")),
        name_servers=_addresses(options, _NAME_SERVERS),
        domain=_text(options.get(_DOMAIN, b"")),
        host_name=_text(options.get(_HOST_NAME, b"")),
        mtu=number(_MTU, 2),
        client_id=options.get(_CLIENT_ID, b""),
        parameters=tuple(options.get(_PARAMETERS, b"")),
        text=_text(options.get(_TEXT, b"")),
    )


def _options(payload: bytes) -> dict[int, bytes]:
    """All options, an option in several pieces joined, in the order of RFC 3396 5: options, `file`, `sname`."""
    options: dict[int, bytes] = {}
    _walk(payload[_OPTIONS_AT:], options)
    overload = _number(options.pop(_OVERLOAD, b"\0"), 1)  # RFC 2132 9.3
    if overload & 1:
        _walk(payload[_FILE], options)
    if overload & 2:
        _walk(payload[_SNAME], options)
    return options


def _walk(field: bytes, options: dict[int, bytes]) -> None:
    """Add the options of one field.  Its end may stand for the end option that some senders leave out."""
    position = 0
    while position < len(field) and field[position] != _END:
        number = field[position]
        position += 1
        if number == _PAD:
            continue
        if position == len(field):
            raise _MalformedError
        start, position = position + 1, position + 1 + field[position]
        options[number] = options.get(number, b"") + _exactly(field[start:position], position - start)


def _exactly(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise _MalformedError
    return data


def _number(data: bytes, size: int) -> int:
    return int.from_bytes(_exactly(data, size), "big")


def _prefix_length(mask: bytes) -> int:
    inverted = _number(mask, 4) ^ 0xFFFFFFFF
    if inverted & inverted + 1:
        raise _MalformedError  # a zero before a one
    return 32 - inverted.bit_length()


def _addresses(options: dict[int, bytes], option: int) -> tuple[Address, ...]:
    data = options.get(option)
    if data is None:
        return ()
    if not data or len(data) % 4:
        raise _MalformedError
    return tuple(data[at : at + 4] for at in range(0, len(data), 4))


def _classless_routes(data: bytes) -> tuple[tuple[Address, int, Address | None], ...]:
    """RFC 3442: the prefix is given by as many bytes as it needs, router 0.0.0.0 stands for the link itself."""
    routes = []
    position = 0
    while position < len(data):
        length = data[position]
        if length > 32:
            raise _MalformedError
        middle = position + 1 + (length + 7) // 8
        prefix = _exactly(data[position + 1 : middle], middle - position - 1).ljust(4, b"\0")
        router = _exactly(data[middle : middle + 4], 4)
        routes.append((network_of(prefix, length), length, router if any(router) else None))
        position = middle + 4
    return tuple(routes)


def _text(data: bytes) -> str:
    """For people, so nothing that moves a cursor.  Zeros at the end are no part of it (RFC 2132 2)."""
    text = data.rstrip(b"\0").decode("ascii", "replace")
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def encode(message: DhcpMessage) -> bytes:
    """Raises `ValueError` for text that is not ASCII."""
    header = BOOTP(
        op=_OP[message.kind],
        htype=1,
        hlen=6,
        hops=0,
        xid=message.transaction,
        secs=message.seconds,
        flags=_BROADCAST_FLAG if message.is_broadcast else 0,
        ciaddr=address_text(message.client_address),
        yiaddr=address_text(message.your_address),
        siaddr="0.0.0.0",
        giaddr="0.0.0.0",
        chaddr=message.client_mac + bytes(10),
        sname=bytes(64),
        file=bytes(128),
        options=dhcpmagic,
    )
    return bytes(header / DHCP(options=[*_pieces(message), "end"])).ljust(MIN_LENGTH, b"\0")


def _pieces(message: DhcpMessage) -> list[tuple[int, bytes]]:
    """The options as Scapy takes them, the message type first as usual."""
    mask = None if message.prefix_length is None else (0xFFFFFFFF << 32 - message.prefix_length & 0xFFFFFFFF)
    values = [
        (_KIND, bytes((message.kind,))),
        (_CLIENT_ID, message.client_id),
        (_REQUESTED, message.requested or b""),
        (_SERVER, message.server or b""),
        (_LEASE, _packed(message.lease, 4)),
        (_RENEWAL, _packed(message.renewal, 4)),
        (_REBINDING, _packed(message.rebinding, 4)),
        (_MASK, _packed(mask, 4)),
        # Before the routers (RFC 3442): they count only where there are no classless routes.
        (_CLASSLESS_ROUTES, b"".join(_packed_route(*route) for route in message.routes)),
        (_ROUTERS, b"".join(message.routers)),
        (_NAME_SERVERS, b"".join(message.name_servers)),
        (_DOMAIN, message.domain.encode("ascii")),
        (_HOST_NAME, message.host_name.encode("ascii")),
        (_MTU, _packed(message.mtu, 2)),
        (_PARAMETERS, bytes(message.parameters)),
        (_TEXT, message.text.encode("ascii")),
    ]
    return [
        (number, value[at : at + _MAX_OPTION]) for number, value in values for at in range(0, len(value), _MAX_OPTION)
    ]


def _packed(number: int | None, size: int) -> bytes:
    return b"" if number is None else number.to_bytes(size, "big")


def _packed_route(prefix: Address, length: int, router: Address | None) -> bytes:
    return bytes((length,)) + prefix[: (length + 7) // 8] + (router or bytes(4))
