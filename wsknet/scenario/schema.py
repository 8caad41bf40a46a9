"""What a scenario file may say.  `load` reads one; the fields below are its vocabulary.

A step is a mapping whose first word is the operation: ``{bind: s, to: "10.1.0.2:80", expect: in-use}``.  Its outcome is
one line of text, and every expectation is a line in which ``*`` stands for anything.  Where the faces differ, an
expectation is a mapping: ``expect: {windows: ok, linux: in-use}``.
"""

from __future__ import annotations

from enum import Enum
from typing import ClassVar, TypeAlias

from msgspec import Struct, field

Expected: TypeAlias = str | dict[str, str]
"""One text for all faces, or one for each: by face, by group of faces, or by ``policy=value`` for a flip."""


class Grade(Enum):
    """How firm the behaviour is."""

    DOCUMENTED = "documented"
    TESTED = "tested"
    REPORTED = "reported"
    REASONED = "reasoned"
    OPEN = "open"


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Every part of a file: unknown fields are an error, not a surprise."""


class Interface(_Part, frozen=True):
    link: str = ""
    """The link it is plugged into; none for a card without a cable."""
    addresses: tuple[str, ...] = ()
    """With prefix length.  One may be followed by words: ``10.1.0.2/24 skip-as-source``, ``deprecated``,
    ``temporary``."""
    metric: int = 25
    mac: str = ""
    mtu: int = 1500
    up: bool = True
    weak_send: bool | None = None
    weak_receive: bool | None = None
    dhcp: bool = False
    link_local: bool = True
    """Has the IPv6 address of its link that every card has."""
    autoconfiguration: bool | None = None
    """IPAutoconfigurationEnabled of this interface; else that of the host counts."""


class Route(_Part, frozen=True):
    to: str
    via: str = ""
    through: str = ""
    """The interface, where `via` does not tell it."""
    metric: int = 0
    source: str = ""
    """Preferred source, ``src`` of ip-route(8)."""


class Faults(_Part, frozen=True):
    """Switches for the drivers of a host, which its WSK face is one of.  Other faces do not know them."""

    completing: str = "as ready"
    """How operations answer that could do so at once: ``as ready``, ``pending``, ``inline`` or ``alternating``."""
    delay: str = ""
    """By which completions come later that do not come inline."""
    on_thread: bool = False
    """These come in another thread."""
    fail: dict[str, int] = {}
    """The how-manieth call of a function that allocates is to fail: ``{IoAllocateIrp: 2}``, ``{any: 5}``."""


class SanPolicy(_Part, frozen=True):
    """Of the SAN service provider of a host."""

    wildcard: str = "pre-vista"
    """What it does with 0.0.0.0: ``pre-vista`` takes it, ``vista`` does not."""
    rdma_read: bool = True
    installed: bool = True
    """Else a step ``install`` does it."""


class Host(_Part, frozen=True):
    like: str = ""
    """A standard host to start from; interfaces and routes given here come on top."""
    behaves: str = ""
    """Always this behaviour set, whatever face the scenario is run for."""
    is_router: bool = False
    loopback: tuple[str, ...] = ()
    """Further addresses of the loopback interface."""
    interfaces: dict[str, Interface] = {}
    routes: tuple[Route, ...] = ()
    dynamic_ports: str = ""
    """``50000-50003``, for both protocols and families."""
    excluded_ports: str = ""
    autoconfiguration: bool = True
    """IPAutoconfigurationEnabled."""
    hosts: tuple[str, ...] = ()
    """Lines of its hosts file: ``10.1.0.2 server.lab server``."""
    dns: tuple[str, ...] = ()
    """The DNS servers that it asks, by address (``fe80::1%if1``); none: those that DHCP tells."""
    faults: Faults | None = None
    verified: bool = False
    """Misuse of WSK is a failure, ``bug-check``, and not only a status."""
    zone: tuple[str, ...] = ()
    """It is a DNS server, with these records: ``server.lab A 10.1.0.2``."""
    san: tuple[str, ...] = ()
    """Interfaces that a SAN service provider serves (Winsock Direct): IPv4 streams of the face winsock go through the
    Windows Sockets switch.  To other faces they are interfaces like all others."""
    san_policy: SanPolicy | None = None


class Link(_Part, frozen=True):
    """What happens to every frame that is sent into it, in virtual time.

    A link that only one interface is plugged into stands here, too: it is meant so.
    """

    delay: str = ""
    jitter: str = ""
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    mark: float = 0.0
    rate: int | None = None
    """Bits per second."""


class _Step(Struct, frozen=True, forbid_unknown_fields=True, tag_field="do", kw_only=True, omit_defaults=True):
    note: str = ""
    """A sentence for people who read along."""
    expect: Expected = ""
    """The outcome.  A step that says nothing is expected to end well: no error, and something to receive or accept."""
    rule: Expected = ""
    """The rule that decided, as `wsknet explain` tells it."""
    frames: tuple[str, ...] | dict[str, tuple[str, ...]] = ()
    """Seen on the links because of this step, in this order, others between them: ``server.if1: udp A:p > B:q``."""
    no_frames: tuple[str, ...] | dict[str, tuple[str, ...]] = ()
    faces: tuple[str, ...] = ()
    """Only for these; else for all that the scenario is for."""
    within: str = ""
    """How long to wait for the outcome."""

    SUBJECT: ClassVar[str] = "socket"


class OpenSocket(_Step, frozen=True, tag="socket"):
    what: str
    on: str
    type: str = "udp"
    family: str = "ipv4"
    """ipv4, ipv6 (IPv6 alone) or dual."""
    owner: str = ""
    """The account; ``user`` if none is named."""
    shares_with: tuple[str, ...] = ()
    """Accounts that its security descriptor admits (WSK).

    None named: its own account if no owner is named either, else nobody, as the default descriptor has it; so
    ``owner: user`` is the denied twin of what says nothing.
    """


class SetOption(_Step, frozen=True, tag="option"):
    what: str
    set: str
    to: bool | int | str = True


class Bind(_Step, frozen=True, tag="bind"):
    what: str
    to: str


class Listen(_Step, frozen=True, tag="listen"):
    what: str


class Connect(_Step, frozen=True, tag="connect"):
    what: str
    to: str
    """``nobody`` takes the peer of a UDP socket back.  ``@s`` is the name of socket s, ``10.1.0.2:@s`` has its port."""


class Accept(_Step, frozen=True, tag="accept"):
    what: str
    named: str
    """The new socket."""


class Send(_Step, frozen=True, tag="send"):
    what: str
    data: str = "hello"
    to: str = ""
    from_address: str = field(default="", name="from")
    """The source of this datagram alone (IP_PKTINFO)."""
    through: str = ""
    """The interface of this datagram alone (IP_PKTINFO)."""


class Receive(_Step, frozen=True, tag="receive"):
    """The outcome is the data and who sent it: ``hello from 10.1.0.50:7``, ``nothing``, or ``closed``.

    With the option ``packet-info`` set, ``to 10.1.0.9 on if1`` follows.
    """

    what: str


class Name(_Step, frozen=True, tag="name"):
    """The outcome is the local address and port."""

    what: str


class Peer(_Step, frozen=True, tag="peer"):
    what: str


class Path(_Step, frozen=True, tag="path"):
    """The outcome is the way that a connection goes, ``SAN`` or ``TCP/IP``, and its rule is why."""

    what: str


class DefaultDestination(_Step, frozen=True, tag="default-destination"):
    """SIO_WSK_SET_SENDTO_ADDRESS."""

    what: str
    to: str


class Join(_Step, frozen=True, tag="join"):
    what: str
    group: str
    interface: str = ""


class RouteQuery(_Step, frozen=True, tag="route-query"):
    """SIO_ROUTING_INTERFACE_QUERY: the address that would be the source."""

    what: str
    to: str


class AddressList(_Step, frozen=True, tag="address-list"):
    """SIO_ADDRESS_LIST_QUERY: what may be bound, in order, separated by blanks; or ``nothing``."""

    what: str


class Close(_Step, frozen=True, tag="close"):
    what: str
    how: str = "close"
    """close, or finish: no more data from us, the other direction stays open (TCP)."""


class Change(_Step, frozen=True, tag="change"):
    """Something about a host.  Exactly one of the fields."""

    SUBJECT: ClassVar[str] = "host"

    what: str
    add_address: str = ""
    """``10.1.0.9/24 on if1``"""
    remove_address: str = ""
    """``10.1.0.9 on if1``"""
    add_route: Route | None = None
    remove_route: Route | None = None
    down: str = ""
    up: str = ""
    remove_interface: str = ""
    metric: str = ""
    """``50 on if1``"""
    weak_send: str = ""
    """``if1`` or ``off if1``"""
    weak_receive: str = ""
    autoconfiguration: bool | None = None


class Inject(_Step, frozen=True, tag="inject"):
    """Put a frame on the cable of an interface, as if its host had sent it: ``udp 127.0.0.1:1 > 10.1.0.2:53``."""

    SUBJECT: ClassVar[str] = "interface"

    what: str
    """``client.eth0``"""
    frame: str
    to: str
    """The interface that the frame is addressed to: ``server.if1``."""


class Table(_Step, frozen=True, tag="table"):
    """Lines of a table of a host that must be there, and that must not."""

    SUBJECT: ClassVar[str] = "host"

    what: str
    show: str
    """ports, routes, addresses, connections, neighbours, groups or drops"""
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


class LookUp(_Step, frozen=True, tag="look-up"):
    """The outcome is every address of a name, best first, separated by blanks; or ``no-such-name``, ``no-address``,
    ``no-answer``, ``server-failed``, ``no-server``.  Servers that do not answer take ten seconds: see `within`.
    """

    SUBJECT: ClassVar[str] = "host"

    what: str
    name: str


class Kill(_Step, frozen=True, tag="kill"):
    """A socket dies under its owner (WSK)."""

    what: str


class SetFaults(_Step, frozen=True, tag="faults"):
    """The switches of `Faults` anew, for a host; what is not said is as usual again (WSK)."""

    SUBJECT: ClassVar[str] = "host"

    what: str
    completing: str = "as ready"
    delay: str = ""
    on_thread: bool = False
    fail: dict[str, int] = {}


class Provider(_Step, frozen=True, tag="provider"):
    """The WSK subsystem of a host goes away, or comes again."""

    SUBJECT: ClassVar[str] = "host"

    what: str
    is_now: str = field(name="is")
    """gone or back"""


class Install(_Step, frozen=True, tag="install"):
    """The SAN service provider of a host, where that does not have it from the beginning (`SanPolicy.installed`)."""

    SUBJECT: ClassVar[str] = "host"

    what: str


class Wait(_Step, frozen=True, tag="wait"):
    SUBJECT: ClassVar[str] = "time"

    what: str


Step: TypeAlias = (
    OpenSocket | SetOption | Bind | Listen | Connect | Accept | Send | Receive | Name | Peer | Path | DefaultDestination
    | Join | RouteQuery | AddressList | Close | Change | Inject | Table
    | LookUp | Kill | SetFaults | Provider | Install | Wait
)  # fmt: skip


class Flip(_Part, frozen=True):
    """A policy that can be set otherwise; expectations under ``policy=value`` then count."""

    policy: str
    value: str

    @property
    def key(self) -> str:
        return f"{self.policy}={self.value}"


class Scenario(_Part, frozen=True):
    title: str
    """One sentence for people: what happens, and why it may surprise."""
    topic: str
    hosts: dict[str, Host]
    steps: tuple[Step, ...]
    cases: tuple[str, ...] = ()
    """Numbers of the rules that it shows: BIND-17b."""
    about: str = ""
    """More for people who want to know."""
    source: str = ""
    grade: Grade = Grade.REASONED
    faces: tuple[str, ...] = ("wsk", "winsock", "linux")
    compare: bool = True
    """With the kernel; not for what it has not."""
    links: dict[str, Link] = {}
    policies: dict[str, str] = {}
    """Set on every host that has no set of its own."""
    flips: tuple[Flip, ...] = ()
    differs: str = ""
    """Why the kernel's outcomes, told under ``kernel``, are not ours, and which kernel was asked."""
    no_tap: str = ""
    """Why it makes no sense on a TAP, with the kernel in the place of the other hosts."""
