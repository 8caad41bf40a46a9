"""What a DNS server for labs knows, and what it answers: RFC 1035 3 and 4, RFC 2308 (negative answers), RFC 6891.

Authoritative for every name there is: what it does not know does not exist.  Troubles are part of a lab, so they can
be had on purpose: delays, servers that fail, answers too long for UDP.
"""

from __future__ import annotations

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from wsknet import text
from wsknet.names.spelling import MAX_NAME, reverse_name

TTL = 3600
"""Seconds, of what is given none."""
NEGATIVE_TTL = 60
PLAIN_LIMIT = 512
"""Bytes of a UDP answer to a query without EDNS (RFC 1035 4.2.1)."""
EDNS_LIMIT = 1232
"""The most that is sent by UDP, whatever the query allows (DNS flag day 2020)."""
MAX_ALIASES = 16


class Zone:
    """Names are full, with or without a dot at the end.  `ValueError` for what cannot be a record."""

    def __init__(self) -> None:
        self._records: dict[dns.name.Name, dict[int, dns.rrset.RRset]] = {}
        self._delays: dict[dns.name.Name, float] = {}
        self._codes: dict[dns.name.Name, int] = {}
        self._silent: dict[dns.name.Name, None] = {}
        self.knows_edns = True
        """False: as servers before RFC 6891, which answer FORMERR."""

    def add(self, name: str, *addresses: str, ttl: int = TTL, has_reverse: bool = True) -> None:
        """A host: its A and AAAA records, and unless told otherwise the PTR record of each address."""
        for address in addresses:
            octets = text.parse_address(address)
            self.add_record(name, "A" if len(octets) == 4 else "AAAA", address, ttl)
            if has_reverse:
                self.add_record(reverse_name(octets), "PTR", _dotted(name), ttl)

    def alias(self, name: str, target: str, ttl: int = TTL) -> None:
        """A CNAME record."""
        self.add_record(name, "CNAME", _dotted(target), ttl)

    def add_record(self, name: str, kind: str, value: str, ttl: int = TTL) -> None:
        """Any record, its value as in a zone file."""
        try:
            owner = _name(name)
            made = dns.rrset.from_text(owner, ttl, "IN", kind, value)
        except dns.exception.DNSException as error:
            raise ValueError(f"{name} {kind} {value}: {error}") from None
        rrsets = self._records.setdefault(owner, {})
        if made.rdtype in rrsets:
            rrsets[made.rdtype].add(made[0], ttl)
        else:
            rrsets[made.rdtype] = made

    def remove(self, name: str) -> None:
        self._records.pop(_name(name), None)

    def delay(self, name: str, seconds: float) -> None:
        """Answers about `name` leave that much later."""
        self._delays[_name(name)] = seconds

    def fail(self, name: str, code: int) -> None:
        """Questions about `name` are answered with this response code (RFC 6895 2.3) and nothing else."""
        self._codes[_name(name)] = code

    def ignore(self, name: str) -> None:
        """Questions about `name` are not answered at all."""
        self._silent[_name(name)] = None

    def answer(self, data: bytes, *, is_stream: bool) -> tuple[bytes, float] | None:
        """The response to a query, and the seconds after which it is to leave; `None`: none."""
        try:
            query = dns.message.from_wire(data)
        except Exception:  # whatever a library finds wrong with bytes from the network, they are only bytes
            return None
        if query.flags & dns.flags.QR:
            return None
        asked = query.question[0] if query.opcode() == dns.opcode.QUERY and len(query.question) == 1 else None
        if asked is not None and asked.name in self._silent:
            return None
        response = dns.message.make_response(query, recursion_available=True, our_payload=EDNS_LIMIT)
        if query.edns >= 0 and not self.knows_edns:
            response.use_edns(-1)
            response.set_rcode(dns.rcode.FORMERR)
        elif asked is None:
            response.set_rcode(dns.rcode.NOTIMP)
        elif asked.name in self._codes:
            response.set_rcode(dns.rcode.Rcode.make(self._codes[asked.name]))
        else:
            response.flags |= dns.flags.AA
            self._resolve(asked, response)
        limit = (
            65535 if is_stream else PLAIN_LIMIT if query.edns < 0 else max(PLAIN_LIMIT, min(query.payload, EDNS_LIMIT))
        )
        delay = self._delays.get(asked.name, 0.0) if asked is not None else 0.0
        return _fitting(response, limit), delay

    def _resolve(self, asked: dns.rrset.RRset, response: dns.message.Message) -> None:
        name = asked.name
        for _ in range(MAX_ALIASES):
            rrsets = self._records.get(name, {})
            found = rrsets.get(asked.rdtype)
            if found is not None:
                # Each on its own: dnspython shuffles what is in one set, with randomness that is not ours.
                response.answer += [dns.rrset.from_rdata(name, found.ttl, rdata) for rdata in found]
                return
            alias = rrsets.get(dns.rdatatype.CNAME)
            if alias is None:
                break
            response.answer.append(alias)
            name = alias[0].target
        if name not in self._records:
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority.append(_soa(name))


def _soa(name: dns.name.Name) -> dns.rrset.RRset:
    """Of the next name above `name` that leaves room for those in it."""
    zone = name.parent() if len(name) > 1 else name
    while sum(len(label) + 1 for label in zone.labels) + len("hostmaster.") > MAX_NAME:
        zone = zone.parent()
    values = f"{dns.name.from_text('ns', zone)} {dns.name.from_text('hostmaster', zone)} 1 7200 900 86400"
    return dns.rrset.from_text(zone, NEGATIVE_TTL, "IN", "SOA", f"{values} {NEGATIVE_TTL}")


def _name(name: str) -> dns.name.Name:
    return dns.name.from_text(_dotted(name)).canonicalize()


def _dotted(name: str) -> str:
    return name if name.endswith(".") else name + "."


def _fitting(response: dns.message.Message, limit: int) -> bytes:
    """What is too long is left out as a whole, and TC says so (RFC 2181 9)."""
    data = response.to_wire(max_size=65535)
    if len(data) <= limit:
        return data
    response.answer.clear()
    response.authority.clear()
    response.flags |= dns.flags.TC
    return response.to_wire()
