"""IRPs that nobody waits for, as attempts of a scenario, and what their statuses mean there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from wsknet.errors import ErrorKind
from wsknet.scenario.outcomes import NOTHING, OK, OUTCOME_OF_KIND, PENDING
from wsknet.scenario.world import Failed
from wsknet.wsk import (
    IRP,
    NT_SUCCESS,
    NTSTATUS,
    STATUS_ACCESS_DENIED,
    STATUS_INSUFFICIENT_RESOURCES,
    STATUS_MORE_PROCESSING_REQUIRED,
    IoAllocateIrp,
    IoCancelIrp,
    IoFreeIrp,
    IoSetCompletionRoutine,
)
from wsknet.wsk.status import STATUS_OF_KIND

if TYPE_CHECKING:
    from wsknet.host import Host

_OUTCOMES = {status: OUTCOME_OF_KIND[kind] for kind, status in STATUS_OF_KIND.items() if kind in OUTCOME_OF_KIND}
_OUTCOMES[STATUS_ACCESS_DENIED] = OUTCOME_OF_KIND[ErrorKind.DENIED]
_OF_DESTINATIONS = {STATUS_ACCESS_DENIED: OUTCOME_OF_KIND[ErrorKind.BROADCAST_DENIED]}
"""The same status says something else of an address that is sent to."""


def failure(status: NTSTATUS, names_destination: bool = False) -> Failed:
    """A status without an error kind is its own outcome: ``buffer-overflow``."""
    own = status.name.removeprefix("STATUS_").lower().replace("_", "-")
    outcome = _OUTCOMES.get(status, own)
    return Failed(_OF_DESTINATIONS.get(status, outcome) if names_destination else outcome, status.name)


def require(result: tuple[NTSTATUS, Any]) -> Any:
    """The value of a call that `wsknet.wsk.simple` has waited for.  Raises `Failed`."""
    status, value = result
    if not NT_SUCCESS(status):
        raise failure(status)
    return value


def told_ok(_information: Any) -> str:
    return OK


class Request:
    """A WSK call that was begun.  `then` makes the outcome from the Information, once, if it has succeeded."""

    def __init__(
        self,
        host: Host,
        function: Callable[..., NTSTATUS],
        *arguments: Any,
        then: Callable[[Any], str] = told_ok,
        is_taken_back: bool = False,
        names_destination: bool = False,
    ) -> None:
        self._then = then
        self._is_taken_back = is_taken_back
        self._names_destination = names_destination
        self._irp: IRP | None = None
        self._ended: tuple[NTSTATUS, Any] | None = None
        self._outcome: str | None = None
        with host.activate():
            self._irp = IoAllocateIrp(1, False)
            if self._irp is None:
                self._ended = STATUS_INSUFFICIENT_RESOURCES, 0
            else:
                IoSetCompletionRoutine(self._irp, self._complete, None, True, True, True)
                function(*arguments, self._irp)

    def _complete(self, _device: object, irp: IRP, _context: object) -> NTSTATUS:
        self._ended = irp.IoStatus.Status, irp.IoStatus.Information
        self._irp = None
        IoFreeIrp(irp)
        return STATUS_MORE_PROCESSING_REQUIRED

    def poll(self) -> str | None:
        if self._ended is None:
            return None
        status, information = self._ended
        if not NT_SUCCESS(status):
            raise failure(status, self._names_destination)
        if self._outcome is None:
            self._outcome = self._then(information)
        return self._outcome

    def give_up(self) -> str:
        """What only waits for others is cancelled.  What has ended at the last moment counts."""
        if not self._is_taken_back:
            return self.poll() or PENDING
        if self._irp is not None:
            IoCancelIrp(self._irp)
        if self._ended is not None and NT_SUCCESS(self._ended[0]):
            return self.poll() or NOTHING
        return NOTHING
