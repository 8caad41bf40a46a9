"""ExRaiseStatus and ExRaiseAccessViolation: structured exceptions as Python ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from wsknet.wsk import (
    EXCEPTION,
    STATUS_ACCESS_VIOLATION,
    STATUS_INVALID_PARAMETER,
    ExRaiseAccessViolation,
    ExRaiseStatus,
)


@pytest.mark.parametrize(
    ("function", "code", "text"),
    [
        (partial(ExRaiseStatus, STATUS_INVALID_PARAMETER), STATUS_INVALID_PARAMETER, "STATUS_INVALID_PARAMETER"),
        (partial(ExRaiseStatus, 0xE0001234), 0xE0001234, "0xE0001234"),
        (partial(ExRaiseStatus, 0x2A), 0x2A, "0x0000002A"),
        (ExRaiseAccessViolation, STATUS_ACCESS_VIOLATION, "STATUS_ACCESS_VIOLATION"),
    ],
)
def test_the_handler_gets_the_code_and_people_its_name(function: Callable[[], None], code: int, text: str) -> None:
    with pytest.raises(EXCEPTION) as caught:
        function()

    assert (caught.value.ExceptionCode, str(caught.value)) == (code, text)
