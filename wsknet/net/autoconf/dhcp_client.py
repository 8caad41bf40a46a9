"""The DHCP client of one interface: RFC 2131 3 and 4.4, RFC 3442, RFC 5227 2.1 (the check before use).

What the RFC leaves open: of several offers the first that can be used is taken.  When the link has been down, an
address is used again once it has been checked, while its lease is being verified (3.2 (4), 3.7).  A client without an
answer rests for `DhcpConfig.pause`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsknet.net.autoconf.dhcp_exchange import Exchange
from wsknet.net.autoconf.dhcp_patience import Patience
from wsknet.net.autoconf.dhcp_state import TRANSITIONS, Cause, DhcpState
from wsknet.net.autoconf.dhcp_transport import DhcpTransport
from wsknet.net.autoconf.lease import Lease, LeaseSettings, read_lease
from wsknet.net.changes import AddressAdded, AddressOrigin, AddressRemoved
from wsknet.net.interface import AddressState
from wsknet.net.messages.dhcp import DhcpKind, DhcpMessage
from wsknet.net.wording import address_text, prefix_text
from wsknet.timers import Timer
from wsknet.trace import DropReason
from wsknet.types import Address, Duration, Instant, Mac

if TYPE_CHECKING:
    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer

_ASKING = (
    DhcpState.SELECTING,
    DhcpState.REQUESTING,
    DhcpState.REBOOTING,
    DhcpState.RENEWING,
    DhcpState.REBINDING,
)


class DhcpClient:
    """`AddressOwner` of the leased address."""

    def __init__(self, ip: IpLayer, interface: Interface) -> None:
        self._ip = ip
        self._config = ip.config.dhcp
        self._interface = interface
        self._transport = DhcpTransport(ip, interface)
        self._settings = LeaseSettings(ip, interface)
        self._exchange = self._new_exchange(Instant(0))
        self._link_was_up = False
        self._expiry = Timer(ip.timers, self._expired)
        """Of the lease; runs in every state, while the link is down too.  Before `_timer` at the same instant."""
        self._timer = Timer(ip.timers, self._due)
        """What the state waits for: its next message, T1 or T2."""
        self._patience = Patience(ip, interface)
        self._note = ""
        """What went wrong last, for people."""
        self.state = DhcpState.OFF
        self.lease: Lease | None = None

    @property
    def is_unanswered(self) -> bool:
        """No lease for so long that a link-local address may be used instead; until there is one."""
        return self._patience.is_over

    @property
    def is_asking(self) -> bool:
        return self.state in _ASKING

    def describe(self) -> str:
        lease = self.lease
        parts = [self.state.value]
        if lease is not None:
            parts.append(f"{prefix_text(lease.address, lease.prefix_length)} from {address_text(lease.server)}")
        return "; ".join([*parts, self._note] if self._note else parts)

    def adjust(self, now: Instant) -> None:
        """The link may have come or gone."""
        if self._interface.is_up == self._link_was_up:
            return
        self._link_was_up = self._interface.is_up
        if self._link_was_up:
            self._start(now)
        else:
            self._stop()

    def renew(self, now: Instant) -> None:
        if not self._interface.is_up:
            return
        if self.state is DhcpState.OFF:
            self._start(now)
        elif self.state in (DhcpState.INIT, DhcpState.BOUND):
            self._timer.cancel()
            self._due(now)

    def release(self, now: Instant) -> None:
        """4.4.6; nothing is sent for an address that is not in use."""
        lease = self.lease
        if lease is not None and self._interface.is_up and lease.address in self._interface.addresses:
            self._begin_exchange(now)
            self._transport.unicast(self._exchange.release(lease), lease.server, now, "DHCP release")
        self._forget_lease(now)
        self._stop()
        self._note = ""
        self._patience.restore(now)

    def close(self, now: Instant) -> None:
        """DHCP is off from here on, or the interface is gone."""
        if self._ip.interfaces.get(self._interface.index) is self._interface:
            self.release(now)
        else:
            self._stop()
            self._expiry.cancel()

    def receive(self, message: DhcpMessage, now: Instant) -> DropReason | None:
        """Why the message is of no use; `None` if it is."""
        exchange = self._exchange
        if (
            not self.is_asking
            or message.transaction != exchange.transaction
            or message.client_mac != self._interface.mac
        ):
            return DropReason.DHCP_UNEXPECTED
        if self.state is DhcpState.SELECTING:
            return self._offered(message, now) if message.kind is DhcpKind.OFFER else DropReason.DHCP_UNEXPECTED
        if not self._may_answer(message.server):
            return DropReason.DHCP_UNEXPECTED
        if message.kind is DhcpKind.ACK:
            return self._acknowledged(message, now)
        if message.kind is DhcpKind.NAK:
            self._refused(message, now)
            return None
        return DropReason.DHCP_UNEXPECTED

    def assigned(self, interface: Interface, address: Address, now: Instant) -> None:
        lease = self.lease
        if self.state is not DhcpState.CHECKING or lease is None or address != lease.address:
            return  # checked again because the link was down: DHCP goes its own way
        self._enter(Cause.ASSIGNED)
        self._note = ""
        self._settings.install(lease, now)
        if lease.renewal is not None:
            self._timer.arm(lease.renewal)
        self._patience.restore(now)

    def address_changed(self, address: Address, now: Instant) -> None:
        """Given or taken away, perhaps by hand while it was being checked: then the client has nothing to wait for."""
        self.assigned(self._interface, address, now)

    def lost(self, interface: Interface, address: Address, holder: Mac, now: Instant) -> None:
        """4.4.4: the server is told, and we begin again, not at once (3.1 (5))."""
        lease = self.lease
        if lease is None or address != lease.address:
            return
        self._note = f"{address_text(address)} is used by {holder.hex(':')}"
        self._begin_exchange(now)
        self._transport.broadcast(self._exchange.decline(lease), "DHCP decline: another host uses the address")
        self._forget_lease(now)
        self._search(now, self._config.restart_delay)

    def _start(self, now: Instant) -> None:
        if self.lease is None:
            self._search(now, int(self._ip.rng.random() * self._config.startup_delay))
            return
        self._enter(Cause.REMEMBER)
        self._begin_exchange(now)
        self._ask(now)

    def _stop(self) -> None:
        self._timer.cancel()
        self._patience.stop()
        if self.state is not DhcpState.OFF:
            self._enter(Cause.STOP)

    def _search(self, now: Instant, delay: Duration) -> None:
        self._enter(Cause.SEARCH)
        self._timer.arm(Instant(now + delay))

    def _discover(self, now: Instant) -> None:
        self._enter(Cause.DISCOVER)
        self._begin_exchange(now)
        self._patience.begin(now)
        self._ask(now)

    def _due(self, now: Instant) -> None:
        match self.state:
            case DhcpState.INIT:
                self._discover(now)
            case DhcpState.BOUND:
                self._enter(Cause.T1)
                self._begin_exchange(now)
                self._ask(now)
            case DhcpState.RENEWING if self._is_time_to_rebind(now):
                self._enter(Cause.T2)
                self._begin_exchange(now)
                self._ask(now)
            case DhcpState.SELECTING | DhcpState.REQUESTING | DhcpState.REBOOTING if (
                self._exchange.attempts >= self._config.attempts
            ):
                self._give_up(now)
            case _:
                self._ask(now)

    def _is_time_to_rebind(self, now: Instant) -> bool:
        return self.lease is not None and self.lease.rebinding is not None and now >= self.lease.rebinding

    def _give_up(self, now: Instant) -> None:
        if self.state is DhcpState.SELECTING:
            self._note = "no server answered"
            self._search(now, self._config.pause)
        elif self.state is DhcpState.REQUESTING:
            self._note = f"{address_text(self._exchange.server)} did not answer a request for its offer"
            self._search(now, 0)
        elif self.lease is not None:  # 3.2 (4)
            self._take(self.lease, now)
            self._note = "no server answered, the lease of before goes on"

    def _new_exchange(self, now: Instant) -> Exchange:
        return Exchange(self._ip.rng.getrandbits(32), self._interface.mac, self._config, now, now)

    def _begin_exchange(self, now: Instant) -> None:
        self._exchange = self._new_exchange(now)
        # An answer must not take the short way of packets for addresses that are ours: see `DhcpClients.expects`.
        self._interface.flows.clear()

    def _ask(self, now: Instant) -> None:
        """Send the question of the state, and again if it is not answered in time."""
        exchange, lease = self._exchange, self.lease
        exchange.attempts += 1
        attempt = f"attempt {exchange.attempts}"
        interval = exchange.interval(self._ip.rng)
        if self.state is DhcpState.SELECTING:
            self._transport.broadcast(exchange.discover(now), f"DHCP discover, {attempt}")
        elif self.state is DhcpState.REQUESTING:
            self._transport.broadcast(exchange.request_offer(), f"DHCP request, {attempt}")
        elif lease is None:
            return
        elif self.state is DhcpState.REBOOTING:
            comment = f"DHCP request for the lease of before, {attempt}"
            self._transport.broadcast(exchange.request_again(lease, now), comment)
        elif self.state is DhcpState.RENEWING:
            self._transport.unicast(exchange.extend(lease, now), lease.server, now, f"DHCP renewal, {attempt}")
            interval = exchange.interval_until(lease.rebinding, now)
            if lease.rebinding is not None:
                interval = min(interval, lease.rebinding - now)
        else:
            self._transport.broadcast(exchange.extend(lease, now), f"DHCP rebinding, {attempt}")
            interval = exchange.interval_until(lease.expiry, now)
        self._timer.arm(Instant(now + interval))

    def _may_answer(self, server: Address | None) -> bool:
        if self.state is DhcpState.REQUESTING:
            return server == self._exchange.server
        if self.state is DhcpState.RENEWING:
            return self.lease is not None and server == self.lease.server
        return server is not None

    def _offered(self, message: DhcpMessage, now: Instant) -> DropReason | None:
        offer = read_lease(message, now)
        if offer is None:
            return DropReason.DHCP_UNUSABLE
        self._enter(Cause.OFFER)
        self._exchange.take_offer(offer, now)
        self._ask(now)
        return None

    def _acknowledged(self, message: DhcpMessage, now: Instant) -> DropReason | None:
        lease = read_lease(message, self._exchange.asked_at)
        if lease is None:
            return DropReason.DHCP_UNUSABLE
        if self.lease is not None and lease.address != self.lease.address:
            return DropReason.DHCP_UNEXPECTED
        self._take(lease, now)
        return None

    def _take(self, lease: Lease, now: Instant) -> None:
        self.lease = lease
        self._enter(Cause.GRANT)
        self._timer.cancel()
        self._patience.stop()
        self._expiry.cancel()
        if lease.expiry is not None:
            self._expiry.arm(lease.expiry)
        if self.is_unanswered and not self._ip.link_local.is_in_use(self._interface):
            self._patience.restore(now)  # no link-local address for a few seconds, if it is still being checked
        known = self._interface.addresses.get(lease.address)
        if known is not None and (
            known.prefix_length == lease.prefix_length or known.origin is not AddressOrigin.DHCP
        ):  # fmt: skip
            self.assigned(self._interface, lease.address, now)
            return
        change = AddressAdded(
            self._interface.index, lease.address, lease.prefix_length, origin=AddressOrigin.DHCP
        )  # fmt: skip
        self._ip.duplicates.claim(change, self, now)

    def _refused(self, message: DhcpMessage, now: Instant) -> None:
        """Begin again; not at once if the refusal followed an offer, for that may go on like this for ever."""
        self._note = f"{address_text(message.server or bytes(4))} refused: {message.text or 'no reason given'}"
        delay = self._config.restart_delay if self.state is DhcpState.REQUESTING else 0
        self._forget_lease(now)
        self._search(now, delay)

    def _expired(self, now: Instant) -> None:
        self._note = "the lease has expired"
        self._forget_lease(now)
        if self.state is not DhcpState.OFF:
            self._search(now, 0)

    def _forget_lease(self, now: Instant) -> None:
        """Its address and what came with it are taken away; a duplicate stays where people see who has it."""
        lease, self.lease = self.lease, None
        self._expiry.cancel()
        self._settings.withdraw(now)
        if lease is None:
            return
        interface = self._interface
        entry = interface.find(lease.address)
        if entry is None or entry.origin is not AddressOrigin.DHCP or entry.state is AddressState.DUPLICATE:
            return
        self._ip.change(AddressRemoved(interface.index, lease.address), now)

    def _enter(self, cause: Cause) -> None:
        self.state = TRANSITIONS[self.state][cause]
