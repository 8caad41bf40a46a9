"""The host side of IGMP or MLD on one interface.

Read RFC 3376 5 and 7.2, RFC 3810 6 and 8.2, RFC 2236 3 and 6, RFC 2710 4 and 5 before editing.  We are no multicast
router, also where packets are forwarded.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from wsknet.net.messages.groups import GroupLeave, GroupQuery, GroupRecord, GroupReport, OldGroupReport
from wsknet.net.multicast.filters import NOBODY, SourceFilter
from wsknet.net.multicast.membership import Membership
from wsknet.net.multicast.querier import Querier
from wsknet.net.multicast.reports import Igmp, Mld, divided
from wsknet.net.well_known import ALL_HOSTS, ALL_NODES
from wsknet.net.wording import address_text
from wsknet.timers import Timer
from wsknet.types import MILLISECOND, SECOND, Address, Duration, Instant, is_node_local, is_unspecified

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wsknet.net.interface import Interface
    from wsknet.net.layer import IpLayer

UNSOLICITED_INTERVAL = 1 * SECOND
"""Longest time between repeats of a report that nobody asked for (RFC 3376 8.11, RFC 3810 9.11)."""
OLD_UNSOLICITED_INTERVAL = 10 * SECOND
"""The same in the older versions (RFC 2236 8.10, RFC 2710 7.10)."""
LEAST_DELAY = 10 * MILLISECOND
"""Of an answer, also to a query that wants it at once: a flood of these must not have one answer each (Linux waits a
jiffy)."""

OWN = "the host itself"
"""The member of solicited-node groups."""


class InterfaceGroups:
    def __init__(self, ip: IpLayer, interface: Interface, sender: Igmp | Mld) -> None:
        self._ip = ip
        self._interface = interface
        self._sender = sender
        self._memberships: dict[Address, Membership] = {}
        self._is_running = False
        self._querier = Querier(ip.timers, self._change_version)
        self._answer = Timer(ip.timers, self._answer_all)
        """To a general query."""

    def wanted(self, group: Address) -> SourceFilter:
        membership = self._memberships.get(group)
        return membership.wanted if membership is not None else NOBODY

    def members(self, group: Address) -> tuple[object, ...]:
        membership = self._memberships.get(group)
        return tuple(membership.members) if membership is not None else ()

    def groups_of(self, member: object) -> list[Address]:
        return [group for group, membership in self._memberships.items() if member in membership.members]

    def set_member(self, group: Address, member: object, wanted: SourceFilter | None, now: Instant) -> None:
        membership = self._memberships.get(group)
        if membership is None:
            if wanted is None:
                return
            repeat, answer = partial(self._repeat, group), partial(self._answer_one, group)
            membership = self._memberships[group] = Membership(group, self._ip.timers, repeat, answer)
        membership.set_member(member, wanted)
        self._tell(membership, now)
        self._forget_if_over(membership)

    def adjust(self, now: Instant) -> None:
        """The link has come or gone, or the settings of the interface have changed."""
        if self._interface.is_up and not self._interface.is_loopback:
            self._is_running = True
            for membership in list(self._memberships.values()):
                self._tell(membership, now)
        elif self._is_running:
            self._stop()

    def _stop(self) -> None:
        """The routers of the next link know nothing, and nothing is known of them."""
        self._is_running = False
        self._querier.forget()
        self._answer.cancel()
        for membership in list(self._memberships.values()):
            membership.silence()
            membership.told = NOBODY
            self._forget_if_over(membership)

    # Reports that nobody asked for

    def _tell(self, membership: Membership, now: Instant) -> None:
        """Report the difference between what the routers were told and what is wanted."""
        if not self._is_running or not _concerns_routers(membership.group):
            return
        if membership.members and not self._speaks_of(membership):
            return
        before, membership.told = membership.told, membership.wanted
        if self._querier.version == 3:
            if membership.change(before, self._querier.robustness):
                self._send_change(membership, now)
        elif before == NOBODY and membership.told != NOBODY:
            membership.old_reports = self._querier.robustness
            self._send_old(membership, now)
        elif before != NOBODY and membership.told == NOBODY:
            self._send_leave(membership)
        if membership.told == NOBODY:
            membership.drop_questions()

    def _speaks_of(self, membership: Membership) -> bool:
        """Whether reports are sent unasked: of solicited-node groups only where addresses are found automatically."""
        auto = self._interface.auto
        return auto.duplicate_detection or auto.router_discovery or list(membership.members) != [OWN]

    def _send_change(self, membership: Membership, now: Instant) -> None:
        group = address_text(membership.group)
        self._send_report(membership.take_change(), f"membership report: change of {group}")
        if membership.has_changes:
            membership.repeat.arm(self._some_time_within(UNSOLICITED_INTERVAL, now))
        else:
            membership.repeat.cancel()

    def _send_old(self, membership: Membership, now: Instant) -> None:
        membership.old_reports = max(0, membership.old_reports - 1)
        membership.is_last_reporter = True
        group = membership.group
        self._send(group, OldGroupReport(self._querier.version, group), f"membership report for {address_text(group)}")
        if membership.old_reports:
            membership.repeat.arm(self._some_time_within(OLD_UNSOLICITED_INTERVAL, now))

    def _send_leave(self, membership: Membership) -> None:
        """Only the last to report need say that it leaves (RFC 2236 3); version 1 has no word for it."""
        if self._querier.version > 1 and membership.is_last_reporter:
            group = membership.group
            self._send(self._sender.leaves_to, GroupLeave(group), f"leaves {address_text(group)}")
        membership.silence()

    def _repeat(self, group: Address, now: Instant) -> None:
        membership = self._memberships[group]
        if self._querier.version == 3:
            self._send_change(membership, now)
        else:
            self._send_old(membership, now)
        self._forget_if_over(membership)

    # Queries

    def query(self, query: GroupQuery, now: Instant) -> bool:
        """False: nobody here is a member of the group that it asks for."""
        self._querier.hear(query, now)
        if not is_unspecified(query.group):
            return self._query_about_one(query, now)
        limit = query.max_response * MILLISECOND
        if self._querier.version == 3:
            self._answer.arm_by(self._some_time_within(limit, now))
        else:
            # Each group by itself, so that others' reports can make ours unnecessary.
            for membership in self._told_of():
                self._answer_by(membership, (), self._some_time_within(limit, now))
        return True

    def _query_about_one(self, query: GroupQuery, now: Instant) -> bool:
        membership = self._memberships.get(query.group)
        if membership is None or not _is_told_of(membership):
            return False
        due, pending = self._some_time_within(query.max_response * MILLISECOND, now), self._answer.deadline
        if pending is None or due < pending:  # RFC 3376 5.2 rule 1: else that will tell everything, and sooner
            self._answer_by(membership, query.sources if self._querier.version == 3 else (), due)
        return True

    def _answer_by(self, membership: Membership, sources: tuple[Address, ...], due: Instant) -> None:
        """One answer for all queries about a group, as early as the most urgent of them asks."""
        membership.ask(sources)
        membership.answer.arm_by(due)

    def _answer_all(self, now: Instant) -> None:
        self._send_report([membership.state() for membership in self._told_of()], "membership report: all groups")

    def _answer_one(self, group: Address, now: Instant) -> None:
        membership = self._memberships[group]
        if self._querier.version < 3:
            self._send_old(membership, now)
        else:
            self._send_report(membership.take_answer(), f"membership report: answer about {address_text(group)}")

    def heard_report(self, group: Address) -> bool:
        """Another host has reported `group`: in the older versions ours is not needed (RFC 2236 3, RFC 2710 4).

        False: it changes nothing.
        """
        membership = self._memberships.get(group)
        if membership is None or self._querier.version == 3:
            return False
        membership.silence()
        membership.is_last_reporter = False
        return True

    def _change_version(self) -> None:
        """Whatever was to be sent in the other version is not (RFC 3376 7.2.1)."""
        self._answer.cancel()
        for membership in list(self._memberships.values()):
            membership.silence()
            self._forget_if_over(membership)

    # Common

    def _forget_if_over(self, membership: Membership) -> None:
        if not membership.members and not membership.repeat.is_armed:
            membership.silence()
            del self._memberships[membership.group]

    def _told_of(self) -> list[Membership]:
        return [membership for membership in self._memberships.values() if _is_told_of(membership)]

    def _send_report(self, records: Iterable[GroupRecord], comment: str) -> None:
        room = self._interface.mtu_for(self._sender.family) - self._sender.packet_overhead
        for part in divided(records, room):
            self._send(self._sender.reports_to, GroupReport(part), comment)

    def _send(self, destination: Address, message: GroupReport | OldGroupReport | GroupLeave, comment: str) -> None:
        self._sender.send(self._interface, destination, message, comment)

    def _some_time_within(self, limit: Duration, now: Instant) -> Instant:
        return Instant(now + self._ip.rng.randint(LEAST_DELAY, max(limit, LEAST_DELAY)))


def _concerns_routers(group: Address) -> bool:
    """Every host is a member of the all-hosts group, and what ends at the host no router forwards (RFC 3810 6)."""
    return group not in (ALL_HOSTS, ALL_NODES) and not is_node_local(group)


def _is_told_of(membership: Membership) -> bool:
    """Whether answers to queries speak of it."""
    return membership.wanted != NOBODY and _concerns_routers(membership.group)
