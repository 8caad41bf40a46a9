"""The verifier: what Driver Verifier keeps an eye on, for the drivers of one host.

Three things.  With a verifier, `BugCheck` leaves the call that breaks a rule; without one that call answers a status,
and nothing changes.  A strict verifier does the same where the documentation forbids something and a status answers,
such as a reserved flag that is not zero.  And it keeps books: of IRPs and MDLs that are allocated, and of memory that a
pending request has been lent and nobody may touch, and of indications that were retained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar
from zlib import crc32

from wsknet.host import Host, find_current_host
from wsknet.wsk.bugcheck import DRIVER_VERIFIER_DETECTED_VIOLATION, BugCheck, place_of_caller
from wsknet.wsk.status import STATUS_INVALID_PARAMETER

if TYPE_CHECKING:
    from wsknet.wsk.irp import IRP
    from wsknet.wsk.mdl import MDL
    from wsknet.wsk.structures import WSK_DATA_INDICATION, WSK_DATAGRAM_INDICATION, WSK_SOCKET

    Indication: TypeAlias = WSK_DATA_INDICATION | WSK_DATAGRAM_INDICATION

__all__ = ["Verifier"]


class Loan:
    """Memory that belongs to a request until its IRP has completed (R-351)."""

    __slots__ = ("chain", "place", "sum", "views")

    def __init__(self, views: Sequence[memoryview], Mdl: MDL | None) -> None:
        self.views = views
        self.sum: int | None = _sum_of(views)
        """None while the subsystem is writing to it."""
        self.chain: list[MDL] = []
        while Mdl is not None and Mdl not in self.chain:  # a chain may lead back: only Length tells where it ends
            self.chain.append(Mdl)
            Mdl = Mdl.Next
        self.place = place_of_caller()

    @property
    def is_untouched(self) -> bool:
        return self.sum is None or _sum_of(self.views) == self.sum


def _sum_of(views: Sequence[memoryview]) -> int:
    found = 0
    for view in views:
        found = crc32(view, found)
    return found


class Verifier:
    """Of one host: `wsknet.wsk.verify(host)` puts it there."""

    def __init__(self, is_strict: bool = False) -> None:
        self.is_strict = is_strict
        self.irps: dict[IRP, str] = {}
        """Allocated and not freed, and where they were."""
        self.mdls: dict[MDL, str] = {}
        self.work_items: dict[object, str] = {}
        # Any thread adds to these and takes away: who goes through one takes a copy first.
        self._loans: dict[IRP, Loan] = {}
        self._retained: dict[Indication, str] = {}

    # Memory that is lent

    def lend(self, Irp: IRP, views: Sequence[memoryview], Mdl: MDL | None) -> None:
        """`Irp` pends with this memory, which the chain that begins with `Mdl` describes."""
        self._loans[Irp] = Loan(views, Mdl)

    def begin_writing(self, Irp: IRP) -> None:
        """The subsystem is about to write to the memory lent with `Irp`.  BugCheck if somebody else has."""
        loan = self._loans.get(Irp)
        if loan is not None:
            was_untouched, loan.sum = loan.is_untouched, None
            if not was_untouched:
                raise _written(loan)

    def end_writing(self, Irp: IRP) -> None:
        loan = self._loans.get(Irp)
        if loan is not None:
            loan.sum = _sum_of(loan.views)

    def take_back(self, Irp: IRP) -> None:
        """`Irp` is about to complete.  BugCheck if the memory lent with it has been written to."""
        loan = self._loans.pop(Irp, None)
        if loan is not None and not loan.is_untouched:
            raise _written(loan)

    def require_not_lent(self, memory: object) -> None:
        """BugCheck if `memory`, which is being freed, is lent."""
        for loan in list(self._loans.values()):
            if any(view.obj is memory for view in loan.views):
                what = f"memory is freed while the request made at {loan.place} has it"
                raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-351", what)

    def require_mdl_not_lent(self, Mdl: MDL, function: str) -> None:
        """BugCheck if a pending request has `Mdl` in its chain."""
        for loan in list(self._loans.values()):
            if any(one is Mdl for one in loan.chain):
                what = f"{function} of an MDL while the request made at {loan.place} has it"
                raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-351", what)

    # Indications that are retained

    def retain(self, elements: Sequence[Indication], callback: Callable[..., Any]) -> None:
        """`callback` has kept them, but for those that have been released since."""
        code = getattr(callback, "__code__", None)
        place = f"{code.co_filename}:{code.co_firstlineno} in {code.co_name}" if code is not None else ""
        for element in elements:
            self._retained[element] = place
            if element._holder is None:  # in this order: another thread may be releasing it
                self._retained.pop(element, None)

    def released(self, elements: Sequence[Indication]) -> None:
        for element in elements:
            self._retained.pop(element, None)

    def retained_by(self, socket: WSK_SOCKET) -> list[str]:
        """Where each indication of `socket` was retained that has not been released."""
        return [place for element, place in list(self._retained.items()) if element._holder is socket]


def _written(loan: Loan) -> BugCheck:
    what = f"memory was written while the request made at {loan.place} had it"
    return BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "R-351", what)


_Parameters = ParamSpec("_Parameters")
_Returned = TypeVar("_Returned")


def checked(failure: Any) -> Callable[[Callable[_Parameters, _Returned]], Callable[_Parameters, _Returned]]:
    """A function of the interface in which a BugCheck may come up: without a verifier it returns `failure` instead."""

    def decorate(function: Callable[_Parameters, _Returned]) -> Callable[_Parameters, _Returned]:
        @wraps(function)
        def checking(*arguments: _Parameters.args, **named: _Parameters.kwargs) -> _Returned:
            try:
                return function(*arguments, **named)
            except BugCheck:
                if is_verified(*arguments):
                    raise
                returned: _Returned = failure
                return returned

        return checking

    return decorate


def is_verified(*arguments: object) -> bool:
    """Whether the host to which the first two arguments of a call belong, or else the current one, has a verifier.

    True for want of a host: then there is no status that anybody would look at.
    """
    for argument in arguments[:2]:
        host = getattr(argument, "host", None)
        if isinstance(host, Host):
            return verifier_of(host) is not None
    host = find_current_host()
    return host is None or verifier_of(host) is not None


def misused(check: BugCheck, *arguments: object) -> None:
    """Raises `check` if the caller is verified; else the function is to answer as `checked` would."""
    if is_verified(*arguments):
        raise check


def verifier_of(host: Host) -> Verifier | None:
    from wsknet.wsk.kernel import kernel_of

    return kernel_of(host).verifier


def forbid(host: Host, rule: str, what: str) -> None:
    """BugCheck with a strict verifier, for what the caller is about to answer a status to."""
    verifier = verifier_of(host)
    if verifier is not None and verifier.is_strict:
        raise BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, rule, what) from None


def table(kind: type[_Returned], category: type[Any]) -> _Returned:
    """A dispatch table of `kind` with the functions of `category`, which take its sockets and no others."""
    members: dict[str, Any] = {}
    for name in getattr(kind, "__dataclass_fields__", ()):
        function = getattr(category, name, None)
        if function is not None:
            members[name] = function if name in category.CHECKS_ITSELF else _for_sockets_of(category, function)
    return kind(**members)


def _for_sockets_of(category: type[Any], function: Callable[..., Any]) -> Callable[..., Any]:
    name = function.__name__

    @wraps(function)
    def checking(Socket: Any, *arguments: Any) -> Any:
        try:
            if getattr(Socket, "CATEGORY", None) != category.CATEGORY:
                raise wrong_category(Socket, name)
            return function(Socket, *arguments)
        except BugCheck:
            if is_verified(Socket):
                raise
            return STATUS_INVALID_PARAMETER

    return checking


def wrong_category(Socket: object, function: str) -> BugCheck:
    what = f"{function} from another table than that of the socket, a {type(Socket).__name__}"
    return BugCheck(DRIVER_VERIFIER_DETECTED_VIOLATION, "WSK-3.3", what)
