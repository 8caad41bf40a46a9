"""What drivers claim of themselves: PAGED_CODE, NT_ASSERT and its relatives."""

from __future__ import annotations

from wsknet.wsk.bugcheck import IRQL_NOT_LESS_OR_EQUAL, BugCheck
from wsknet.wsk.irql import APC_LEVEL, KeGetCurrentIrql
from wsknet.wsk.verifier import checked

__all__ = ["ASSERT", "C_ASSERT", "NT_ASSERT", "PAGED_CODE"]


@checked(None)
def PAGED_CODE() -> None:
    """BugCheck above APC_LEVEL, where pageable code must not run ("PAGED_CODE macro", wdm.h)."""
    irql = KeGetCurrentIrql()
    if irql > APC_LEVEL:
        raise BugCheck(IRQL_NOT_LESS_OR_EQUAL, "WSK-2.6", f"pageable code (PAGED_CODE) at IRQL {irql}")


def NT_ASSERT(Expression: object) -> None:
    """Raises AssertionError, as a checked build stops, unless `Expression` holds ("NT_ASSERT macro", wdm.h)."""
    if not Expression:
        raise AssertionError("NT_ASSERT")


ASSERT = C_ASSERT = NT_ASSERT
