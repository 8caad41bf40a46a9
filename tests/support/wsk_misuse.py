"""Every misuse that the verifier finds, each with the rule that it breaks."""

from __future__ import annotations

from tests.support.wsk_misuse_calls import TABLE as CALLS
from tests.support.wsk_misuse_clients import TABLE as CLIENTS
from tests.support.wsk_misuse_irps import TABLE as IRPS
from tests.support.wsk_misuse_levels import TABLE as LEVELS
from tests.support.wsk_misuse_memory import TABLE as MEMORY
from tests.support.wsk_misuse_world import Misuse, World

__all__ = ["TABLE", "Misuse", "World"]

TABLE: tuple[Misuse, ...] = (*IRPS, *MEMORY, *CALLS, *LEVELS, *CLIENTS)
